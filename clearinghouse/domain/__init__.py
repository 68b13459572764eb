"""The pure rules of clearing and settlement: no I/O, no clock."""
