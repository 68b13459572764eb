"""How servers may be found."""

WAYS = ("given", "local", "private", "download")
"""In the order they are tried."""
OWN_WAYS = ("private", "download")
"""Those that start servers which nobody else uses."""
