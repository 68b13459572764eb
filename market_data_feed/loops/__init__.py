"""The feed's threads: the record, and what is forgotten of it."""
