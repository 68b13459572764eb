"""LOBSTER files as steps: messages of one security, compared with its book after each of them.

The rules by which such a file replays exactly:
- Volume without ids stands in front as one anonymous order a price.
- What leaves the published levels is forgotten; what comes into view is taken over.
- Executions of one time and side are one incoming order, if price-time priority gives just them.
  On a real day a few are not in turn (an order behind another is executed first): these reduce
  the orders that they name, as a cancel would, and are counted.
- What the file can't explain (a change of an order that came from outside the published levels)
  is made good from the published book, and counted.
"""

from collections.abc import Sequence
from pathlib import Path

from venue_protocol.orders import BUY, IOC, SELL, Side
from venue_trials.recorded_flow.lobster_files import (
    DELETION,
    EXECUTION,
    INVISIBLE,
    SUBMISSION,
    Message,
    book_beside,
    read_books,
    read_messages,
)
from venue_trials.recorded_flow.rehearsal import Engine, Rehearsal
from venue_trials.recorded_flow.steps import (
    ANONYMOUS,
    Levels,
    Plan,
    RecordingError,
    ReplayFill,
    merged,
)

_CENT_E4 = 100
_FINEST_TICK_E4 = 1
"""Securities below a dollar are quoted in hundredths of a cent."""


def plan_lobster(file: Path, engine: Engine, accounts: int = 2, limit: int | None = None) -> Plan:
    """The first `limit` messages as steps, with the recorded executions as the expected fills.

    RecordingError names a line that does not fit. A day of 400,000 messages takes half a minute
    of one core, and keeps its steps in memory but not its books.
    """
    book_file = book_beside(file)
    return _Translation(file, book_file, limit, Rehearsal(engine)).plan(accounts)


class _Translation:
    """Goes through messages and published books side by side."""

    def __init__(
        self, file: Path, book_file: Path, limit: int | None, rehearsal: Rehearsal
    ) -> None:
        self._file = file
        self._messages = read_messages(file, limit)
        self._books = read_books(book_file, limit)
        self._books_read = 0
        self._published = Levels([], [])
        self._rehearsal = rehearsal
        self._expected: list[ReplayFill] = []
        self._checked = self._equal = self._out_of_turn = self._left_out = 0

    def plan(self, accounts: int) -> Plan:
        """All steps, with what must come of them."""
        if not self._messages:
            raise RecordingError(f"{self._file.name}: there is no message in it")
        self._seed()
        row = 1
        while row < len(self._messages):
            self._rehearsal.at_s = self._messages[row].time_s - self._messages[0].time_s
            end = self._end_of_run(row)
            before = self._published
            self._publish(end)
            if self._messages[row].kind == EXECUTION:
                self._execute(row, end)
            else:
                self._apply(row, before)
            self._follow_view()
            row = end
        if next(self._books, None) is not None:
            raise self._lengths_differ("more")
        rehearsal = self._rehearsal
        has_cents = all(
            message.price_e4 % _CENT_E4 == 0
            for message in self._messages
            if message.kind not in INVISIBLE
        )
        return Plan(
            _CENT_E4 if has_cents else _FINEST_TICK_E4,
            len(self._messages),
            rehearsal.steps(accounts),
            merged(self._expected),
            rehearsal.levels(),
            rehearsal.labels,
            f"the executions in {self._file.name}",
            True,
            self._checked,
            self._equal,
            self._out_of_turn,
            self._left_out,
        )

    def _publish(self, rows: int) -> None:
        """Go on in the book to what it is after so many messages."""
        while self._books_read < rows:
            published = next(self._books, None)
            if published is None:
                raise self._lengths_differ(str(self._books_read))
            self._published = published
            self._books_read += 1

    def _lengths_differ(self, rows: str) -> RecordingError:
        return RecordingError(
            f"{self._file.name}: {len(self._messages)} messages, but {rows} rows in its book"
        )

    def _seed(self) -> None:
        """The book of row 0, which holds message 0 already.

        Anonymous volume stands in front, the order of the message behind it.
        """
        first = self._messages[0]
        self._publish(1)
        self._rehearsal.at_s = 0.0
        for side, levels in _sides(self._published):
            for price_e4, size in levels:
                is_first = (first.kind, first.side, first.price_e4) == (SUBMISSION, side, price_e4)
                if size > first.size or not is_first:
                    self._take_over(side, price_e4, size - first.size if is_first else size)
                if is_first:
                    self._rehearsal.place(first.label, side, first.size, price_e4)

    def _end_of_run(self, row: int) -> int:
        """The row after the last of the executions that begin at `row`; row + 1 if none does."""
        first = self._messages[row]
        end = row + 1
        if first.kind != EXECUTION:
            return end
        while end < len(self._messages):
            message = self._messages[end]
            if (message.kind, message.time_s, message.side) != (
                EXECUTION,
                first.time_s,
                first.side,
            ):
                break
            end += 1
        return end

    def _execute(self, row: int, end: int) -> None:
        """One incoming order for the longest part of the run that is in turn, and so on."""
        while row < end:
            in_turn = self._in_turn(row, end)
            if in_turn > row:
                self._take(row, in_turn)
                row = in_turn
            else:
                self._reduce_out_of_turn(self._messages[row])
                row += 1

    def _in_turn(self, row: int, end: int) -> int:
        """The row up to which price-time priority gives just the recorded fills."""
        fills = [self._fill(message) for message in self._messages[row:end]]
        while fills:
            side, last = self._messages[row].side, self._messages[row + len(fills) - 1]
            taker: Side = SELL if side == BUY else BUY
            quantity = sum(fill.quantity for fill in fills)
            given = self._rehearsal.would_trade_with(taker, quantity, last.price_e4)
            if merged(list(given)) == merged(fills):
                break
            fills.pop()
        return row + len(fills)

    def _fill(self, message: Message) -> ReplayFill:
        return ReplayFill(message.price_e4, message.size, self._maker(message), "")

    def _take(self, row: int, end: int) -> None:
        run = self._messages[row:end]
        taker = f"execution {row}"
        self._expected += [
            ReplayFill(message.price_e4, message.size, self._maker(message), taker)
            for message in run
        ]
        side: Side = SELL if run[0].side == BUY else BUY
        self._rehearsal.place(
            taker, side, sum(message.size for message in run), run[-1].price_e4, IOC
        )

    def _reduce_out_of_turn(self, message: Message) -> None:
        self._out_of_turn += 1
        label = self._maker(message)
        if self._rehearsal.leaves(label):
            self._rehearsal.reduce(label, message.size)

    def _maker(self, message: Message) -> str:
        if self._rehearsal.leaves(message.label):
            return message.label
        return _block(message.side, message.price_e4)

    def _apply(self, row: int, before: Levels) -> None:
        message = self._messages[row]
        if message.kind in INVISIBLE:
            return
        if message.kind == SUBMISSION:
            self._submit(message)
            return
        label = self._maker(message)
        if not self._rehearsal.leaves(label):
            self._leave_out(row, before)
        elif message.kind == DELETION and label == message.label:
            self._rehearsal.cancel(label)
        else:
            self._rehearsal.reduce(label, message.size)

    def _submit(self, message: Message) -> None:
        """Place it, unless it would trade: then our book is not the recorded one at that price."""
        taker = self._rehearsal.would_trade_with(message.side, 1, message.price_e4)
        if next(taker, None) is not None:
            self._follow_published(_other(message.side))
        if next(self._rehearsal.would_trade_with(message.side, 1, message.price_e4), None) is None:
            self._rehearsal.place(message.label, message.side, message.size, message.price_e4)
        else:
            self._left_out += 1

    def _leave_out(self, row: int, before: Levels) -> None:
        """Pass over a change of an order that came from outside the published levels.

        The published book has changed with it; where it has not, the file contradicts itself.
        """
        if self._published == before:
            raise RecordingError(
                f"{self._file.name}: line {row + 1} changes an order that is nowhere in the book"
            )
        self._left_out += 1

    def _follow_view(self) -> None:
        """Forget what left the published levels, take over what came into view, compare."""
        rehearsal = self._rehearsal
        for side, levels in _sides(self._published):
            if not levels:
                self._follow_published(side)
                continue
            for label in rehearsal.labels_beyond(side, levels[-1][0]):
                rehearsal.cancel(label)
            known = _side(rehearsal.levels(), side)
            for price_e4, size in levels:
                if not known or _is_worse(side, price_e4, known[-1][0]):
                    self._take_over(side, price_e4, size)
        self._checked += 1
        if rehearsal.levels() == self._published:
            self._equal += 1
            return
        for side in (BUY, SELL):
            self._follow_published(side)

    def _follow_published(self, side: Side) -> None:
        """Make one half of the book what is published, so that one misfit is not the next one's.

        The newest volume of a price goes first, and what is missing comes behind the rest: whatever
        was in front keeps its place. A crossed book can't be made by orders, so it is left alone.
        """
        if _is_crossed(self._published):
            return
        published = dict(_side(self._published, side))
        known = dict(_side(self._rehearsal.levels(), side))
        for price_e4 in known.keys() | published.keys():
            surplus = known.get(price_e4, 0) - published.get(price_e4, 0)
            if surplus > 0:
                self._take_away(side, price_e4, surplus)
        for price_e4, size in published.items():
            missing = size - known.get(price_e4, 0)
            crosses = next(self._rehearsal.would_trade_with(side, 1, price_e4), None) is not None
            if missing > 0 and not crosses:
                self._take_over(side, price_e4, missing)

    def _take_away(self, side: Side, price_e4: int, surplus: int) -> None:
        for label in reversed(self._rehearsal.labels_at(side, price_e4)):
            if surplus <= 0:
                return
            leaves = self._rehearsal.leaves(label)
            self._rehearsal.reduce(label, min(leaves, surplus))
            surplus -= leaves

    def _take_over(self, side: Side, price_e4: int, size: int) -> None:
        """Anonymous volume at a price, as one order with what was anonymous there before."""
        label = _block(side, price_e4)
        known = self._rehearsal.leaves(label)
        if known:
            self._rehearsal.cancel(label)
        self._rehearsal.place(label, side, known + size, price_e4)


def _sides(levels: Levels) -> list[tuple[Side, Sequence[tuple[int, int]]]]:
    """Both halves of a book with their side."""
    return [(BUY, levels.bids), (SELL, levels.asks)]


def _side(levels: Levels, side: Side) -> Sequence[tuple[int, int]]:
    return levels.bids if side == BUY else levels.asks


def _other(side: Side) -> Side:
    return SELL if side == BUY else BUY


def _is_worse(side: Side, price_e4: int, than_e4: int) -> bool:
    return price_e4 < than_e4 if side == BUY else price_e4 > than_e4


def _is_crossed(levels: Levels) -> bool:
    return bool(levels.bids and levels.asks) and levels.bids[0][0] >= levels.asks[0][0]


def _block(side: Side, price_e4: int) -> str:
    """Label of the anonymous order at a price."""
    return f"{ANONYMOUS} {side} {price_e4}"
