"""Rows of text in columns."""

from collections.abc import Mapping, Sequence
from typing import Any


def render(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
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
