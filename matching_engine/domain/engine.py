"""All books of a shard as one function of the order log: `apply` takes a command batch and returns
its events.

Rules (docs/orders.md says more)
- Price, then time. A trade prints at the resting order's price.
- A market order is a limit order at the edge of the band whose rest is canceled. IOC: the rest is
canceled.
- Self-trade prevention: what happens when an order meets an own resting order is the incoming one's choice. Cancel
  newest, which plain orders do: it trades no further, its rest is canceled.
- FOK: all or nothing of what matching would do. So it fills only if the orders in front of the first own order,
  within its limit, suffice; else nothing trades and all of it is canceled. (Cancel oldest passes own orders.)
- A stop is elected by a trade at or through its stop price, and has its turn once the electing
command is done.
- What is due by the time of a batch expires before its first command.
- An amend to less quantity at the same price keeps its place; any other change goes to the back and
may trade.
"""

import hashlib

from matching_engine.domain.book import Book, HalfBook, Order, TermedOrder
from matching_engine.domain.day_state import day_state, restore_books, restore_phases
from matching_engine.domain.invariants import check_books
from matching_engine.domain.snapshot import (
    SNAPSHOT_SCHEMA,
    BookState,
    EngineState,
    RestingOrder,
    WaitingStop,
    decode_state,
    encode_state,
    ended_orders,
    ended_state,
    resting_orders,
    waiting_stops,
)
from matching_engine.domain.stops import ParkedStop
from matching_engine.domain.trading_day import Sessions
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    CommandBatch,
    PlaceOrder,
    SetPhase,
    SetVolatilityBands,
)
from venue_protocol.events import CancelRejected, Event, EventBatch, MassCancelReport, TimeAdvanced
from venue_protocol.identifiers import sharded_id
from venue_protocol.invariants import BrokenInvariant


class OutOfSequence(BrokenInvariant):
    """The batch is not the next one of the log."""


class MatchingEngine(Sessions):
    """The books of one shard. One function of state and message: no clock, no dice, no I/O."""

    __slots__ = ("event_position", "log_position")

    def __init__(self, shard: int = 0) -> None:
        super().__init__(shard)
        self.log_position = 0
        """Sequence of the last command applied."""
        self.event_position = 0
        """Sequence of the last event made."""

    def apply(self, batch: CommandBatch) -> EventBatch:
        """The events of the next batch of the log.

        OutOfSequence, with nothing done, if it is not the next.
        """
        self._require_next(batch)
        events: list[Event] = []
        before_us, self.time_us = self.time_us, batch.time_us
        if self.due_us <= batch.time_us or self.bands:
            self._pass_time(before_us, events)
        if self.expiries:
            self._expire(batch.time_us, events)
        order_id = sharded_id(self.shard, batch.first)
        for command in batch.commands:
            if type(command) is PlaceOrder:
                self._place(order_id, command, events)
            elif type(command) is CancelOrder:
                self._cancel(order_id, command, events)
            elif type(command) is AmendOrder:
                self._amend(order_id, command, events)
            elif type(command) is CancelAllOrders:
                self._cancel_all(command, events)
            elif type(command) is AdvanceTime:
                events.append(TimeAdvanced())
            elif type(command) is SetPhase:
                self._set_phase(command, events)
            elif type(command) is SetVolatilityBands:
                self._set_bands(command, events)
            order_id += 1
        if self.limited:
            self._leave_limit_states(events)
        if self.collecting:
            self._indicate(events)
        self.ended.turn()
        first = self.event_position + 1
        self.event_position += len(events)
        self.log_position = batch.last
        return EventBatch(SCHEMA, self.shard, first, batch.first, batch.last, batch.time_us, events)

    def state(self) -> EngineState:
        """The whole state as records; equal states give equal records."""
        books = [
            BookState(
                book.security_id,
                resting_orders(book.bids),
                resting_orders(book.asks),
                waiting_stops(book.stops),
                book.last_e4,
            )
            for book in self.books.values()
        ]
        return EngineState(
            SNAPSHOT_SCHEMA,
            self.shard,
            self.log_position,
            self.event_position,
            self.trade_count,
            self.time_us,
            books,
            ended_state(self.ended.recent),
            ended_state(self.ended.earlier),
            day_state(self),
        )

    def snapshot(self) -> bytes:
        """The state as bytes; equal states give equal bytes."""
        return encode_state(self.state())

    def state_hash(self) -> str:
        """SHA-256 of the snapshot, hexadecimal."""
        return hashlib.sha256(self.snapshot()).hexdigest()

    @classmethod
    def restore(cls, snapshot: bytes) -> "MatchingEngine":
        """The engine that made this snapshot; SnapshotError if the bytes are none."""
        state = decode_state(snapshot)
        engine = cls(state.shard)
        engine.log_position = state.log_position
        engine.event_position = state.event_position
        engine.trade_count = state.trade_count
        engine.time_us = state.time_us
        restore_phases(engine, state.day)
        for book_state in state.books:
            book = engine._open_book(book_state.security_id)
            engine._restore_half(book.bids, book_state.bids)
            engine._restore_half(book.asks, book_state.asks)
            engine._restore_stops(book, book_state.stops)
            book.last_e4 = book_state.last_e4
        restore_books(engine, state.day, engine._restore_order)
        for owner in engine.owners.values():
            owner.order_ids.sort()
        engine.ended = ended_orders(state.ended_recent, state.ended_earlier)
        return engine

    def check_invariants(self) -> None:
        """BrokenInvariant if the books contradict themselves. Costs a walk over everything."""
        check_books(self.books.values(), self.orders, self.owners)

    def _require_next(self, batch: CommandBatch) -> None:
        if batch.shard != self.shard:
            raise OutOfSequence(f"a batch of shard {batch.shard} came to shard {self.shard}")
        if batch.first != self.log_position + 1 or not batch.commands:
            raise OutOfSequence(
                f"batch {batch.first} to {batch.last} does not follow {self.log_position}"
            )
        if batch.time_us <= self.time_us:
            raise OutOfSequence(
                f"batch {batch.first} is of time {batch.time_us}, not after {self.time_us}"
            )

    def _restore_half(self, half: HalfBook, resting: list[RestingOrder]) -> None:
        for entry in resting:
            owner = self._owner(entry.client_id)
            if entry.terms is None:
                order = half.rest(
                    entry.order_id, owner, entry.price_e4, entry.leaves, entry.quantity
                )
            else:
                order = TermedOrder(
                    entry.order_id,
                    owner,
                    half.index,
                    entry.price_e4,
                    entry.leaves,
                    entry.quantity,
                    entry.terms,
                    entry.reserve,
                )
                half.enter(order)
            self._restore_order(order)

    def _restore_stops(self, book: Book, stops: list[WaitingStop]) -> None:
        for entry in stops:
            half, owner, quantity = (
                book.half(entry.side),
                self._owner(entry.client_id),
                entry.quantity,
            )
            order = TermedOrder(
                entry.order_id, owner, half.index, entry.price_e4, quantity, quantity, entry.terms
            )
            book.stops.park(
                ParkedStop(order, entry.side, entry.terms.stop_price_e4 or 0, entry.becomes_market)
            )
            self._restore_order(order)

    def _restore_order(self, order: Order) -> None:
        self.orders[order.order_id] = order
        order.owner.order_ids.append(order.order_id)
        if order.terms is not None and order.terms.expires_us is not None:
            self._list_expiry(order.terms.expires_us, order.order_id)

    def _cancel(self, own_id: int, command: CancelOrder, events: list[Event]) -> None:
        order_id = command.order_id
        order = self.orders.get(order_id)
        if order is None or order.owner.client_id != command.client_id:
            reason, _ = self._why_not_open(order_id, own_id)
            events.append(CancelRejected(order_id, command.client_id, reason.code))
            return
        half = self.halves[order.half]
        self._discard(order, half, "requested", events)
        if order.terms is None and not half.book.closing:
            del self.orders[order_id]
            half.remove(order)
        else:
            self._withdraw(order, half)

    def _cancel_all(self, command: CancelAllOrders, events: list[Event]) -> None:
        owner = self.owners.get(command.client_id)
        canceled = 0
        for order_id in owner.order_ids if owner else ():
            order = self.orders.get(order_id)
            if order is None:
                continue
            half = self.halves[order.half]
            if command.security_id in (None, half.security_id):
                self._discard(order, half, "requested", events)
                self._withdraw(order, half)
                canceled += 1
        if owner:
            self._sweep_owner(owner)
        events.append(MassCancelReport(command.client_id, command.security_id, canceled))
