"""Order files of the matching consensus: seq,type,side,ioc,qty,order_id,price_ticks."""

import csv
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path

from venue_cli.replay.rehearsal import Engine, Rehearsal
from venue_cli.replay.steps import Owners, Plan, RecordingError, ReplayFill
from venue_protocol.orders import BUY, GTC, IOC, SELL, Side

TICK_E4 = 50
"""One tick of these files is 0.005 USD."""
HEADER = ["seq", "type", "side", "ioc", "qty", "order_id", "price_ticks"]
_SIDES: dict[str, Side] = {"B": BUY, "S": SELL}
_TRADE = "1"


def plan_consensus(file: Path, engine: Engine, owners: Owners, limit: int | None = None) -> Plan:
    """The first `limit` messages as steps. A modify of an open order is its cancel and a new order behind the others.

    Expected fills come from the reports beside the file, else from the rehearsal. RecordingError
    names a line that is not of this format.
    """
    rehearsal = Rehearsal(engine, owners)
    last = -1
    messages = 0
    for row in _rows(file):
        if limit is not None and messages >= limit:
            break
        try:
            last = int(row[0])
            _ACTIONS[row[1]](rehearsal, row)
        except (KeyError, ValueError, IndexError) as error:
            raise RecordingError(f"{file.name}: line {messages + 2} is not a message: {','.join(row)}") from error
        messages += 1
    reports = file.with_name(file.name.replace(".orders.csv", ".reports.txt"))
    recorded = reports != file and reports.is_file()
    return Plan(
        TICK_E4,
        messages,
        rehearsal.steps,
        recorded_fills(reports, last) if recorded else rehearsal.fills,
        rehearsal.levels(),
        rehearsal.labels,
        reports.name if recorded else "a rehearsal in the matching engine",
    )


def recorded_fills(reports: Path, last_message: int) -> list[ReplayFill]:
    """The trades that the reports file lists up to a message: lines `1,seq,price,qty,maker_id,taker_id`."""
    rows = (line.split(",") for line in read_text(reports).splitlines() if line.startswith(f"{_TRADE},"))
    return [
        ReplayFill(int(price) * TICK_E4, int(quantity), maker, taker)
        for _, sequence, price, quantity, maker, taker in rows
        if int(sequence) <= last_message
    ]


def read_text(file: Path) -> str:
    """The text of a file, unpacked when its name ends in .xz."""
    if file.suffix == ".xz":
        with lzma.open(file, "rt", encoding="ascii") as unpacked:
            return unpacked.read()
    return file.read_text(encoding="ascii")


def _rows(file: Path) -> Iterator[list[str]]:
    rows = csv.reader(read_text(file).splitlines())
    if next(rows, None) != HEADER:
        raise RecordingError(f"{file.name}: the first line must be {','.join(HEADER)}")
    return rows


def _place(rehearsal: Rehearsal, row: list[str]) -> None:
    _, _, side, ioc, quantity, label, ticks = row
    rehearsal.place(label, _SIDES[side], int(quantity), int(ticks) * TICK_E4, IOC if ioc == "1" else GTC)


def _cancel(rehearsal: Rehearsal, row: list[str]) -> None:
    if rehearsal.is_known(row[5]):
        rehearsal.cancel(row[5])


def _modify(rehearsal: Rehearsal, row: list[str]) -> None:
    if rehearsal.leaves(row[5]):
        rehearsal.cancel(row[5])
        _place(rehearsal, row)


_ACTIONS: dict[str, Callable[[Rehearsal, list[str]], None]] = {"N": _place, "C": _cancel, "M": _modify}
