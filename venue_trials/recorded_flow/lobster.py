"""LOBSTER files: messages of one security, and the book of ten levels after each.

The rules by which such an excerpt replays exactly: volume without ids stands in front as one
anonymous order a price; what leaves the published levels is forgotten; what comes into view is
taken over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from venue_protocol.orders import BUY, IOC, SELL, Side
from venue_trials.recorded_flow.rehearsal import Engine, Rehearsal
from venue_trials.recorded_flow.steps import (
    ANONYMOUS,
    Levels,
    Plan,
    RecordingError,
    ReplayFill,
    merged,
)

TICK_E4 = 100
_SUBMISSION, _PARTIAL_CANCEL, _DELETION, _EXECUTION = 1, 2, 3, 4
_INVISIBLE = frozenset({5, 6, 7})
"""Hidden executions, crosses, halts: nothing in the visible book changes."""
_NOTHING = 9_999_999_999
_DIRECTIONS: dict[str, Side] = {"1": BUY, "-1": SELL}


@dataclass(frozen=True, slots=True)
class _Message:
    time_s: float
    kind: int
    label: str
    size: int
    price_e4: int
    side: Side
    """The side of the order that the message is about."""


def plan_lobster(file: Path, engine: Engine, accounts: int = 2, limit: int | None = None) -> Plan:
    """The first `limit` messages as steps. Consecutive executions of one time and side are one IOC
    order.

    Expected fills are the executions recorded. RecordingError names a line that does not fit.
    """
    book_file = file.with_name(file.name.replace("_message_", "_orderbook_"))
    if book_file == file or not book_file.is_file():
        raise RecordingError(
            f"{file.name}: its book must lie beside it, with _orderbook_ in place of _message_"
        )
    messages = [_message(file, number, line) for number, line in _lines(file, limit)]
    published = [_levels(book_file, number, line) for number, line in _lines(book_file, limit)]
    if len(messages) != len(published) or not messages:
        raise RecordingError(
            f"{file.name}: {len(messages)} messages, but {len(published)} rows in its book"
        )
    return _Translation(file.name, messages, published, Rehearsal(engine)).plan(accounts)


class _Translation:
    """Goes through messages and published books side by side."""

    def __init__(
        self,
        file_name: str,
        messages: Sequence[_Message],
        published: Sequence[Levels],
        rehearsal: Rehearsal,
    ) -> None:
        self._file_name = file_name
        self._messages = messages
        self._published = published
        self._rehearsal = rehearsal
        self._expected: list[ReplayFill] = []
        self._checked = self._equal = 0

    def plan(self, accounts: int) -> Plan:
        """All steps, with what must come of them."""
        self._seed()
        row = 1
        while row < len(self._messages):
            self._rehearsal.at_s = self._messages[row].time_s - self._messages[0].time_s
            end = self._end_of_run(row)
            if self._messages[row].kind == _EXECUTION:
                self._execute(row, end)
            else:
                self._apply(row)
            self._follow_view(self._published[end - 1])
            row = end
        rehearsal = self._rehearsal
        return Plan(
            TICK_E4,
            len(self._messages),
            rehearsal.steps(accounts),
            merged(self._expected),
            rehearsal.levels(),
            rehearsal.labels,
            f"the executions in {self._file_name}",
            True,
            self._checked,
            self._equal,
        )

    def _seed(self) -> None:
        """The book of row 0, which holds message 0 already: anonymous volume in front, that order
        behind it.
        """
        first = self._messages[0]
        self._rehearsal.at_s = 0.0
        for side, levels in _sides(self._published[0]):
            for price_e4, size in levels:
                is_first = first.kind == _SUBMISSION and (first.side, first.price_e4) == (
                    side,
                    price_e4,
                )
                if size > first.size or not is_first:
                    self._take_over(side, price_e4, size - first.size if is_first else size)
                if is_first:
                    self._rehearsal.place(first.label, side, first.size, price_e4)

    def _end_of_run(self, row: int) -> int:
        """The row after the last message of the run of executions that starts at `row`; row + 1 if
        none does.
        """
        first = self._messages[row]
        end = row + 1
        while first.kind == _EXECUTION and end < len(self._messages):
            message = self._messages[end]
            if (message.kind, message.time_s, message.side) != (
                _EXECUTION,
                first.time_s,
                first.side,
            ):
                break
            end += 1
        return end

    def _execute(self, row: int, end: int) -> None:
        run = self._messages[row:end]
        taker = f"execution {row}"
        for message in run:
            self._expected.append(
                ReplayFill(message.price_e4, message.size, self._maker(message), taker)
            )
        side: Side = SELL if run[0].side == BUY else BUY
        self._rehearsal.place(
            taker, side, sum(message.size for message in run), run[-1].price_e4, IOC
        )

    def _maker(self, message: _Message) -> str:
        if self._rehearsal.leaves(message.label):
            return message.label
        return _block(message.side, message.price_e4)

    def _apply(self, row: int) -> None:
        message = self._messages[row]
        if message.kind in _INVISIBLE:
            return
        if message.kind == _SUBMISSION:
            self._rehearsal.place(message.label, message.side, message.size, message.price_e4)
            return
        label = self._maker(message)
        if not self._rehearsal.leaves(label):
            raise RecordingError(
                f"{self._file_name}: line {row + 1} changes an order that is nowhere in the book"
            )
        if message.kind == _DELETION and label == message.label:
            self._rehearsal.cancel(label)
        else:
            self._rehearsal.reduce(label, message.size)

    def _follow_view(self, published: Levels) -> None:
        """Forget what is worse than the last published level, take over what came into view,
        compare.
        """
        rehearsal = self._rehearsal
        for side, levels in _sides(published):
            if not levels:
                continue
            for label in rehearsal.labels_beyond(side, levels[-1][0]):
                rehearsal.cancel(label)
            own = rehearsal.levels()
            known = own.bids if side == BUY else own.asks
            for price_e4, size in levels:
                if not known or (
                    price_e4 < known[-1][0] if side == BUY else price_e4 > known[-1][0]
                ):
                    self._take_over(side, price_e4, size)
        self._checked += 1
        self._equal += rehearsal.levels() == published

    def _take_over(self, side: Side, price_e4: int, size: int) -> None:
        self._rehearsal.place(_block(side, price_e4), side, size, price_e4)


def _sides(levels: Levels) -> list[tuple[Side, Sequence[tuple[int, int]]]]:
    """Both halves of a book with their side."""
    return [(BUY, levels.bids), (SELL, levels.asks)]


def _block(side: Side, price_e4: int) -> str:
    """Label of the anonymous order at a price."""
    return f"{ANONYMOUS} {side} {price_e4}"


def _lines(file: Path, limit: int | None) -> Iterator[tuple[int, str]]:
    """(line number, line) of the first `limit` lines."""
    with file.open(encoding="ascii") as lines:
        for number, line in enumerate(lines, 1):
            if limit is not None and number > limit:
                return
            yield number, line


def _message(file: Path, number: int, line: str) -> _Message:
    try:
        time, kind, label, size, price, direction = line.strip().split(",")
        message = _Message(
            float(time), int(kind), label, int(size), int(price), _DIRECTIONS[direction]
        )
    except (ValueError, KeyError) as error:
        raise RecordingError(
            f"{file.name}: line {number} is not a message: {line.strip()[:100]}"
        ) from error
    if message.kind not in {_SUBMISSION, _PARTIAL_CANCEL, _DELETION, _EXECUTION} | _INVISIBLE:
        raise RecordingError(f"{file.name}: line {number} has the unknown type {message.kind}")
    return message


def _levels(file: Path, number: int, line: str) -> Levels:
    try:
        fields = [int(text) for text in line.strip().split(",")]
        pairs = list(zip(fields[::2], fields[1::2], strict=True))
    except ValueError as error:
        raise RecordingError(
            f"{file.name}: line {number} is not a book: {line.strip()[:100]}"
        ) from error
    asks = [(price, size) for price, size in pairs[::2] if abs(price) != _NOTHING]
    bids = [(price, size) for price, size in pairs[1::2] if abs(price) != _NOTHING]
    return Levels(bids, asks)
