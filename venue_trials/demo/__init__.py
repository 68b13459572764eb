"""The cast of `./venue demo`, and what its prices did: the console shows both."""
