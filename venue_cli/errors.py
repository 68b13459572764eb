"""Mistakes of the person at the terminal."""


class CommandError(RuntimeError):
    """The command can't be done as asked; one sentence that says what to do."""
