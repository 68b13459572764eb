"""The engine's threads: commands in, resends out."""
