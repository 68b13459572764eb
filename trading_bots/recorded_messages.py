"""Recorded order flow as messages: LOBSTER message files, and files of matching consensus.

LOBSTER: time, type, order id, size, price times 10,000, direction. Matching consensus:
seq,type,side,ioc,qty,order_id,price_ticks with ticks of half a cent, and no times.
"""

import csv
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Literal

_CONSENSUS_HEADER = ["seq", "type", "side", "ioc", "qty", "order_id", "price_ticks"]
_CONSENSUS_TICK = Decimal("0.005")
_LOBSTER_COLUMNS = 6

Kind = Literal["place", "reduce", "cancel", "take"]
_LOBSTER_KINDS: dict[str, Kind] = {"1": "place", "2": "reduce", "3": "cancel", "4": "take"}


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """One message of a recording. `side` is that of the order, of a `take` that of the taker."""

    kind: Kind
    label: str
    """What the recording calls the order."""
    side: str = ""
    quantity: int = 0
    price: Decimal = Decimal(0)
    after_s: float | None = None
    """Seconds since the first message; None where the recording has no times."""


_Reader = Callable[[list[str]], list[RecordedMessage]]
"""Turns one row into messages."""


def read_recording(file: Path) -> list[RecordedMessage]:
    """The messages of a `.csv` or `.csv.xz` file, in order. ValueError names a wrong line."""
    with _opened(file) as lines:
        rows = csv.reader(lines)
        first = next(rows, [])
        if first == _CONSENSUS_HEADER:
            return _read(file, rows, _consensus)
        lobster = _Lobster()
        return [*_read(file, iter([first]), lobster), *_read(file, rows, lobster)]


def _opened(file: Path) -> IO[str]:
    if file.suffix == ".xz":
        return lzma.open(file, "rt", encoding="utf-8")
    return file.open(encoding="utf-8")


def _read(file: Path, rows: Iterator[list[str]], read: _Reader) -> list[RecordedMessage]:
    found: list[RecordedMessage] = []
    for row in rows:
        try:
            found += read(row)
        except (ValueError, KeyError, ArithmeticError) as error:
            raise ValueError(
                f"{file.name}: no recorded message: {','.join(row)[:100]} ({error})"
            ) from error
    return found


def _consensus(row: list[str]) -> list[RecordedMessage]:
    """A modify is a cancel and a new order behind the others."""
    _, kind, side, ioc, quantity, label, ticks = row
    cancel = RecordedMessage("cancel", label)
    if kind == "C":
        return [cancel]
    new = RecordedMessage(
        "take" if ioc == "1" else "place",
        label,
        {"B": "BUY", "S": "SELL"}[side],
        int(quantity),
        int(ticks) * _CONSENSUS_TICK,
    )
    return [cancel, new] if kind == "M" else [new]


class _Lobster:
    """Reads rows; times count from the first."""

    def __init__(self) -> None:
        self._first: float | None = None

    def __call__(self, row: list[str]) -> list[RecordedMessage]:
        if len(row) < _LOBSTER_COLUMNS:
            raise ValueError(f"{_LOBSTER_COLUMNS} columns expected")
        time, code, label, quantity, price, direction = row[:_LOBSTER_COLUMNS]
        self._first = float(time) if self._first is None else self._first
        kind = _LOBSTER_KINDS.get(code)
        if kind is None:
            return []
        is_buy = (int(direction) == 1) != (kind == "take")
        return [
            RecordedMessage(
                kind,
                label,
                "BUY" if is_buy else "SELL",
                int(quantity),
                Decimal(price) / 10_000,
                float(time) - self._first,
            )
        ]
