"""Words to the person at the terminal: progress on standard error, rows in columns, colours only
where they show.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A heading and one line a row; columns that begin with a digit in every row are flush
    right.
    """
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    is_number = [
        bool(cells) and all(cell[:1].isdigit() for cell in column)
        for column in zip(*cells, strict=True)
    ]
    is_number = is_number or [False] * len(columns)

    def line(values: Sequence[str]) -> str:
        padded = [
            value.rjust(width) if number else value.ljust(width)
            for value, width, number in zip(values, widths, is_number, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join(line(values) for values in [list(columns), *cells])
