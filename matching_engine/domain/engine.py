"""All books of a shard as one function of the order log: `apply` takes a command batch and returns
its events.

Rules (docs/orders.md says more)
- Price, then time. A trade prints at the resting order's price.
- A market order is a limit order at the edge of the price band whose rest is canceled. The rest of
  an IOC order is canceled too.
- Self-trade prevention: the incoming order says what happens when it meets an own resting order.
  Plain orders cancel the newest: the incoming one trades no further, its rest is canceled.
- FOK: all or nothing of what matching would do. So it fills only if the orders in front of the
  first own order, within its limit, suffice; else nothing trades and all of it is canceled. Cancel
  oldest passes own orders.
- A stop is elected by a trade at or through its stop price. It has its turn once the electing
  command is done.
- What is due by the time of a batch expires before its first command.
- An amend to less quantity at the same price keeps its place; any other change goes to the back and
  may trade.
"""

import hashlib

from matching_engine.domain.amendment import amend
from matching_engine.domain.call_auction import indicate
from matching_engine.domain.cancellation import cancel, cancel_all, expire
from matching_engine.domain.corporate_actions import apply_action, pass_dividends
from matching_engine.domain.day_state import day_state, restore_phases
from matching_engine.domain.invariants import check_books
from matching_engine.domain.limit_states import leave_limit_states, set_bands
from matching_engine.domain.order_entry import place
from matching_engine.domain.restoration import (
    restore_books,
    restore_fees,
    restore_side,
    restore_stops,
)
from matching_engine.domain.settlement_cycles import (
    pass_on,
    restore_settlement,
    set_settlement,
    start_cycle,
)
from matching_engine.domain.shard import Shard
from matching_engine.domain.snapshot import (
    SNAPSHOT_SCHEMA,
    BookState,
    EngineState,
    decode_state,
    encode_state,
    ended_orders,
    ended_state,
    resting_orders,
    settlement_state,
    waiting_stops,
)
from matching_engine.domain.trading_day import pass_time, set_phase
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    ApplyCorporateAction,
    CancelAllOrders,
    CancelOrder,
    CommandBatch,
    ExemptShares,
    NotifyBuyIn,
    PlaceOrder,
    SetPhase,
    SetSettlement,
    SetVolatilityBands,
    StartSettlementCycle,
)
from venue_protocol.events import Event, EventBatch, TimeAdvanced
from venue_protocol.identifiers import sharded_id
from venue_protocol.invariants import BrokenInvariant


class OutOfSequence(BrokenInvariant):
    """The batch is not the next one of the log."""


class MatchingEngine(Shard):
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
            pass_time(self, before_us, events)
        if self.dividends:
            pass_dividends(self, events)
        if self.expiries:
            expire(self, batch.time_us, events)
        order_id = sharded_id(self.shard, batch.first)
        for command in batch.commands:
            if type(command) is PlaceOrder:
                place(self, order_id, command, events)
            elif type(command) is CancelOrder:
                cancel(self, order_id, command, events)
            elif type(command) is AmendOrder:
                amend(self, order_id, command, events)
            elif type(command) is CancelAllOrders:
                cancel_all(self, command, events)
            elif type(command) is AdvanceTime:
                events.append(TimeAdvanced())
            elif type(command) is SetPhase:
                set_phase(self, command, events)
                if self.dividends:
                    pass_dividends(self, events)
            elif type(command) is SetVolatilityBands:
                set_bands(self, command, events)
            elif type(command) is ApplyCorporateAction:
                apply_action(self, order_id, command, events)
            elif type(command) is SetSettlement:
                set_settlement(self, command, events)
            elif type(command) is StartSettlementCycle:
                start_cycle(self, events)
            elif type(command) is ExemptShares or type(command) is NotifyBuyIn:
                pass_on(self, command, events)
            order_id += 1
        if self.limited:
            leave_limit_states(self, events)
        if self.collecting:
            indicate(self, events)
        self.ended.close_full_generation()
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
            sorted(
                (order_id, order.fees)
                for order_id, order in self.orders.items()
                if order.fees is not None
            ),
            settlement_state(self.settlement),
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
        restore_settlement(engine, state.settlement)
        restore_phases(engine, state.day)
        for book_state in state.books:
            book = engine.open_book(book_state.security_id)
            restore_side(engine, book.bids, book_state.bids)
            restore_side(engine, book.asks, book_state.asks)
            restore_stops(engine, book, book_state.stops)
            book.last_e4 = book_state.last_e4
        restore_books(engine, state.day)
        restore_fees(engine, state.fees)
        for owner in engine.clients.values():
            owner.order_ids.sort()
        engine.ended = ended_orders(state.ended_recent, state.ended_earlier)
        return engine

    def check_invariants(self) -> None:
        """BrokenInvariant if the books contradict themselves. Costs a walk over everything."""
        check_books(self.books.values(), self.orders, self.clients)

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
