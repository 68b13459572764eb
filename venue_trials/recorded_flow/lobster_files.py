"""LOBSTER files, line by line: the messages of one security, and its book after each of them.

Message: time in seconds after midnight, type, order id, size, price in dollars times 10,000,
direction (1 for a bid, -1 for an ask). Book: ask price, ask size, bid price, bid size, level by
level (lobsterdata.com, "Data Structure"). Messages of later years have a seventh column, the
participant, which a replay does not need.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from venue_protocol.orders import BUY, SELL, Side
from venue_trials.recorded_flow.steps import Levels, RecordingError
from venue_trials.recorded_flow.text_files import order_quantity, read_lines, whole_number

SUBMISSION, PARTIAL_CANCEL, DELETION, EXECUTION = 1, 2, 3, 4
INVISIBLE = frozenset({5, 6, 7})
"""Hidden executions, crosses, halts: nothing in the visible book changes."""
_NO_LEVEL = 9_999_999_999
_BOOK_LINE = re.compile(r"(?:-?[0-9]+,){3}-?[0-9]+(?:(?:,-?[0-9]+){4})*")
_DIRECTIONS: dict[str, Side] = {"1": BUY, "-1": SELL}


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a message file. `side` is that of the order that the message is about."""

    time_s: float
    kind: int
    label: str
    size: int
    price_e4: int
    side: Side


def book_beside(file: Path) -> Path:
    """The book of a message file; RecordingError if it does not lie beside it."""
    book = file.with_name(file.name.replace("_message_", "_orderbook_"))
    if book == file or not book.is_file():
        raise RecordingError(
            f"{file.name}: its book must lie beside it, with _orderbook_ in place of _message_"
        )
    return book


def read_messages(file: Path, limit: int | None = None) -> list[Message]:
    """The first `limit` messages. RecordingError names a line that is none."""
    return [_message(file, number, line) for number, line in islice(read_lines(file), limit)]


def read_books(file: Path, limit: int | None = None) -> Iterator[Levels]:
    """The first `limit` books, one at a time: those of a whole day would fill a gigabyte."""
    for number, line in islice(read_lines(file), limit):
        yield _levels(file, number, line)


def _message(file: Path, number: int, line: str) -> Message:
    try:
        time, kind, label, size, price, direction, *_ = line.split(",")
        whole_number(label)
        message = Message(
            float(time),
            whole_number(kind),
            label,
            whole_number(size),
            whole_number(price),
            _DIRECTIONS[direction],
        )
        if not math.isfinite(message.time_s):
            raise ValueError(time)
        if message.kind not in INVISIBLE and message.price_e4 < 1:
            raise ValueError(price)
        if message.kind not in INVISIBLE:
            order_quantity(size)
    except (ValueError, KeyError) as error:
        raise RecordingError(
            f"{file.name}: line {number} is not a message: {line[:100]}"
        ) from error
    if message.kind not in {SUBMISSION, PARTIAL_CANCEL, DELETION, EXECUTION} | INVISIBLE:
        raise RecordingError(f"{file.name}: line {number} has the unknown type {message.kind}")
    return message


def _levels(file: Path, number: int, line: str) -> Levels:
    """Four numbers a level; RecordingError if a level has no price or no shares."""
    fields = [int(text) for text in line.split(",")] if _BOOK_LINE.fullmatch(line) else []
    asks = [pair for pair in zip(fields[0::4], fields[1::4], strict=True) if _is_level(pair)]
    bids = [pair for pair in zip(fields[2::4], fields[3::4], strict=True) if _is_level(pair)]
    if not fields or any(price < 1 or size < 1 for price, size in asks + bids):
        raise RecordingError(f"{file.name}: line {number} is not a book: {line[:100]}")
    return Levels(bids, asks)


def _is_level(pair: tuple[int, int]) -> bool:
    return abs(pair[0]) != _NO_LEVEL
