"""The engine's doors to the outside: the order log, snapshot files, HTTP."""
