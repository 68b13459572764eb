"""Recordings as lines of text, packed or not."""

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from venue_trials.recorded_flow.steps import MOST_QUANTITY, RecordingError


def read_lines(file: Path) -> Iterator[tuple[int, str]]:
    """(line number, line) of each line of a file, unpacked when its name ends in .xz.

    A byte order mark at the beginning and blank lines at the end are passed over, as spreadsheets
    leave them. RecordingError if the file holds something else than plain text.
    """
    blank = 0
    try:
        with _opened(file) as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                if not text:
                    blank = blank or number
                    continue
                if blank:
                    raise RecordingError(f"{file.name}: line {blank} is not a message: it is blank")
                if not text.isascii():
                    raise _no_text(file)
                yield number, text
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise _no_text(file) from error


def whole_number(text: str) -> int:
    """The number that `text` writes in digits with at most a minus sign; ValueError for all else.

    `int` alone would take "1_000" and " 7" as well.
    """
    if not text.removeprefix("-").isdigit():
        raise ValueError(text)
    return int(text)


def order_quantity(text: str) -> int:
    """The shares of an order: at least 1, at most what the security of a replay takes."""
    quantity = whole_number(text)
    if not 0 < quantity <= MOST_QUANTITY:
        raise ValueError(text)
    return quantity


def _opened(file: Path) -> TextIO:
    if file.suffix == ".xz":
        return lzma.open(file, "rt", encoding="utf-8-sig")
    return file.open(encoding="utf-8-sig")


def _no_text(file: Path) -> RecordingError:
    return RecordingError(
        f"{file.name} is no recording of orders: it is no plain text (nor .xz of one)"
    )
