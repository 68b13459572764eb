"""Order files of the matching consensus: seq,type,side,ioc,qty,order_id,price_ticks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from venue_protocol.orders import BUY, GTC, IOC, SELL, Side, TimeInForce
from venue_trials.recorded_flow.rehearsal import Engine, Rehearsal
from venue_trials.recorded_flow.steps import Plan, RecordingError, ReplayFill
from venue_trials.recorded_flow.text_files import order_quantity, read_lines, whole_number

TICK_E4 = 50
"""One tick of these files is 0.005 USD."""
HEADER = ["seq", "type", "side", "ioc", "qty", "order_id", "price_ticks"]
_SIDES: dict[str, Side] = {"B": BUY, "S": SELL}
_TIMES_IN_FORCE: dict[str, TimeInForce] = {"1": IOC, "0": GTC, "": GTC}
_TRADE = "1"
_CANCEL = "C"


@dataclass(frozen=True, slots=True)
class _Message:
    """One line; of a cancel only the label means something."""

    sequence: int
    kind: str
    label: str
    side: Side = BUY
    quantity: int = 0
    price_e4: int = 0
    time_in_force: TimeInForce = GTC


def plan_consensus(file: Path, engine: Engine, accounts: int = 2, limit: int | None = None) -> Plan:
    """The first `limit` messages as steps.

    A modify of an open order is its cancel and a new order behind the others. Expected fills come
    from the reports beside the file, else from the rehearsal. RecordingError names a line that is
    not of this format.
    """
    rehearsal = Rehearsal(engine)
    last = -1
    messages = 0
    for message in islice(_messages(file), limit):
        last = message.sequence
        _ACTIONS[message.kind](rehearsal, message)
        messages += 1
    reports = file.with_name(file.name.replace(".orders.csv", ".reports.txt"))
    recorded = reports != file and reports.is_file()
    return Plan(
        TICK_E4,
        messages,
        rehearsal.steps(accounts),
        recorded_fills(reports, last) if recorded else rehearsal.fills,
        rehearsal.levels(),
        rehearsal.labels,
        reports.name if recorded else "a rehearsal in the matching engine",
    )


def recorded_fills(reports: Path, last_message: int) -> list[ReplayFill]:
    """The trades that the reports file lists up to a message.

    Its lines are `1,seq,price,qty,maker_id,taker_id`; other kinds of lines are passed over.
    """
    fills = []
    for number, line in read_lines(reports):
        if not line.startswith(f"{_TRADE},"):
            continue
        try:
            _, sequence, price, quantity, maker, taker = line.split(",")
            if whole_number(sequence) <= last_message:
                price_e4 = whole_number(price) * TICK_E4
                fills.append(ReplayFill(price_e4, order_quantity(quantity), maker, taker))
        except ValueError as error:
            raise RecordingError(
                f"{reports.name}: line {number} is not a trade: {line[:100]}"
            ) from error
    return fills


def _messages(file: Path) -> Iterator[_Message]:
    lines = read_lines(file)
    if next(lines, (1, ""))[1] != ",".join(HEADER):
        raise RecordingError(f"{file.name}: the first line must be {','.join(HEADER)}")
    for number, line in lines:
        try:
            yield _message(line.split(","))
        except (KeyError, ValueError) as error:
            raise RecordingError(
                f"{file.name}: line {number} is not a message: {line[:100]}"
            ) from error


def _message(row: list[str]) -> _Message:
    sequence, kind, side, ioc, quantity, label, ticks = row
    if kind not in _ACTIONS:
        raise ValueError(kind)
    number = whole_number(sequence)
    if kind == _CANCEL:
        return _Message(number, kind, label)
    price_e4 = whole_number(ticks) * TICK_E4
    if price_e4 < 1:
        raise ValueError(ticks)
    shares = order_quantity(quantity)
    return _Message(number, kind, label, _SIDES[side], shares, price_e4, _TIMES_IN_FORCE[ioc])


def _place(rehearsal: Rehearsal, message: _Message) -> None:
    rehearsal.place(
        message.label, message.side, message.quantity, message.price_e4, message.time_in_force
    )


def _cancel(rehearsal: Rehearsal, message: _Message) -> None:
    if rehearsal.is_known(message.label):
        rehearsal.cancel(message.label)


def _modify(rehearsal: Rehearsal, message: _Message) -> None:
    if rehearsal.leaves(message.label):
        rehearsal.cancel(message.label)
        _place(rehearsal, message)


_ACTIONS: dict[str, Callable[[Rehearsal, _Message], None]] = {
    "N": _place,
    _CANCEL: _cancel,
    "M": _modify,
}
