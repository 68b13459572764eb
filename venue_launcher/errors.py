"""Failures that are not a fault of the program: the console prints their message and nothing else.

Standard library only: the bootstrap uses it too.
"""


class VenueError(RuntimeError):
    """Something can't be done; the message is a sentence that says why and what to do."""


class CommandError(VenueError):
    """The command can't be done as asked."""
