"""How servers may be found."""

WAYS = ("given", "local", "private", "download")
"""In the order they are tried."""
