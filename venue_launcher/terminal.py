"""Words to the person at the terminal: progress on standard error, colours only where they show."""

import os
import sys
from collections.abc import Callable

Report = Callable[[str], None]
"""Takes one line of progress."""

_CODES = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "dim": "2"}


def report(line: str) -> None:
    """One line of progress."""
    print(f"{paint('venue:', 'dim', sys.stderr)} {line}", file=sys.stderr, flush=True)


def silent(line: str) -> None:
    """A report that nobody reads."""


def paint(text: str, colour: str, stream: object = None) -> str:
    """`text` in a colour when the stream (standard output) is a terminal that shows colours, else
    as it is.
    """
    target = sys.stdout if stream is None else stream
    is_terminal = getattr(target, "isatty", lambda: False)()
    if not is_terminal or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"
