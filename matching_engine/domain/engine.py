"""All books of a shard as one function of the order log: `apply` takes a command batch and returns its events.

Rules
- Price, then time. A trade prints at the resting order's price.
- A market order is a limit order at the edge of the band whose rest is canceled. IOC: the rest is canceled.
- Self-trade prevention, cancel newest: an order that meets an own resting order trades no further; its rest is
  canceled.
- FOK: all or nothing of what matching would do. So it fills only if the orders in front of the first own order,
  within its limit, suffice; else nothing trades and all of it is canceled.
- An amend to less quantity at the same price keeps its place; any other change goes to the back and may trade.
"""

import hashlib

from matching_engine.domain.book import Book, HalfBook, Order, Owner, PriceLevel
from matching_engine.domain.ended_orders import CANCELED, FILLED, EndedOrders
from matching_engine.domain.invariants import BrokenInvariant, check_books
from matching_engine.domain.snapshot import (
    SNAPSHOT_SCHEMA,
    BookState,
    EngineState,
    RestingOrder,
    decode_state,
    encode_state,
    ended_orders,
    ended_state,
    resting_orders,
)
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import AmendOrder, CancelAllOrders, CancelOrder, CommandBatch, PlaceOrder
from venue_protocol.events import (
    AmendRejected,
    CancelRejected,
    Event,
    EventBatch,
    MassCancelReport,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    Trade,
)
from venue_protocol.holds import held_amount
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import BUY, FOK, GTC, LIMIT, MARKET, SELL, CancelReason, OrderType, Side, TimeInForce
from venue_protocol.refusals import RejectReason


class OutOfSequence(BrokenInvariant):
    """The batch is not the next one of the log."""


class MatchingEngine:
    """The books of one shard. One function of state and message: no clock, no dice, no I/O."""

    __slots__ = (
        "books",
        "ended",
        "event_position",
        "halves",
        "log_position",
        "orders",
        "owners",
        "shard",
        "time_us",
        "trade_count",
    )

    def __init__(self, shard: int = 0) -> None:
        self.shard = shard
        self.log_position = 0
        """Sequence of the last command applied."""
        self.event_position = 0
        """Sequence of the last event made."""
        self.trade_count = 0
        self.time_us = 0
        """Time of the last batch."""
        self.books: dict[str, Book] = {}
        self.halves: list[HalfBook] = []
        self.orders: dict[int, Order] = {}
        """Every resting order."""
        self.owners: dict[str, Owner] = {}
        self.ended = EndedOrders()

    def apply(self, batch: CommandBatch) -> EventBatch:
        """The events of the next batch of the log. OutOfSequence, with nothing done, if it is not the next."""
        self._require_next(batch)
        events: list[Event] = []
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
            order_id += 1
        self.ended.turn()
        first = self.event_position + 1
        self.event_position += len(events)
        self.log_position = batch.last
        self.time_us = batch.time_us
        return EventBatch(SCHEMA, self.shard, first, batch.first, batch.last, batch.time_us, events)

    def depth(self, security_id: str, most: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and asks as (price_e4, shares), best first, `most` levels each at most; empty if unknown."""
        book = self.books.get(security_id)
        return (book.bids.depth(most), book.asks.depth(most)) if book else ([], [])

    def state(self) -> EngineState:
        """The whole state as records; equal states give equal records."""
        books = [
            BookState(book.security_id, resting_orders(book.bids), resting_orders(book.asks))
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
        for book_state in state.books:
            book = engine._open_book(book_state.security_id)
            engine._restore_half(book.bids, book_state.bids)
            engine._restore_half(book.asks, book_state.asks)
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
            raise OutOfSequence(f"batch {batch.first} to {batch.last} does not follow {self.log_position}")
        if batch.time_us <= self.time_us:
            raise OutOfSequence(f"batch {batch.first} is of time {batch.time_us}, not after {self.time_us}")

    def _open_book(self, security_id: str) -> Book:
        book = self.books[security_id] = Book(len(self.books), security_id)
        self.halves += (book.bids, book.asks)
        return book

    def _restore_half(self, half: HalfBook, resting: list[RestingOrder]) -> None:
        for entry in resting:
            owner = self._owner(entry.client_id)
            order = half.rest(entry.order_id, owner, entry.price_e4, entry.leaves, entry.quantity)
            self.orders[entry.order_id] = order
            owner.order_ids.append(entry.order_id)

    def _owner(self, client_id: str) -> Owner:
        owner = self.owners.get(client_id)
        if owner is None:
            owner = self.owners[client_id] = Owner(client_id)
        return owner

    def _place(self, order_id: int, command: PlaceOrder, events: list[Event]) -> None:
        security_id, client_id = command.security_id, command.client_id
        side, order_type, time_in_force = command.side, command.order_type, command.time_in_force
        quantity, price_e4 = command.quantity, command.price_e4
        if quantity <= 0:
            raise BrokenInvariant(f"order {order_id} is logged with quantity {quantity}")
        book = self.books.get(security_id) or self._open_book(security_id)
        owner = self.owners.get(client_id) or self._owner(client_id)
        events.append(
            OrderAccepted(
                order_id,
                client_id,
                security_id,
                side,
                order_type,
                time_in_force,
                quantity,
                price_e4,
                command.client_order_id,
            )
        )
        if side == BUY:
            half, opposite = book.bids, book.asks
            is_marketable = price_e4 >= opposite.best
        else:
            half, opposite = book.asks, book.bids
            is_marketable = price_e4 <= opposite.best
        remainder = None if time_in_force == GTC and order_type == LIMIT else _remainder(order_type, time_in_force)
        leaves = quantity
        if is_marketable or remainder is not None:
            order = Order(order_id, owner, half.index, price_e4, quantity, quantity)
            if not self._take(order, half, opposite, remainder, events):
                return
            leaves = order.leaves
        self.orders[order_id] = half.rest(order_id, owner, price_e4, leaves, quantity)
        order_ids = owner.order_ids
        order_ids.append(order_id)
        if len(order_ids) > owner.limit:
            self._sweep_owner(owner)

    def _take(
        self, order: Order, half: HalfBook, opposite: HalfBook, remainder: CancelReason | None, events: list[Event]
    ) -> bool:
        """Trade an incoming order. True if what is left of it shall rest; else it is filled, or canceled."""
        if remainder != "fok_unfilled" or _can_fill(order, opposite):
            met_own = self._match(order, opposite, events)
            if not order.leaves:
                self.ended.recent[order.order_id] = half.index << 2 | FILLED
                return False
            if met_own:
                remainder = "self_trade_prevention"
        if remainder is None:
            return True
        self._discard(order, half, remainder, events)
        return False

    def _cancel(self, own_id: int, command: CancelOrder, events: list[Event]) -> None:
        order_id = command.order_id
        order = self.orders.get(order_id)
        if order is None or order.owner.client_id != command.client_id:
            reason, _ = self._why_not_open(order_id, own_id)
            events.append(CancelRejected(order_id, command.client_id, reason.code))
            return
        half = self.halves[order.half]
        del self.orders[order_id]
        self._discard(order, half, "requested", events)
        half.remove(order)

    def _cancel_all(self, command: CancelAllOrders, events: list[Event]) -> None:
        owner = self.owners.get(command.client_id)
        canceled = 0
        for order_id in owner.order_ids if owner else ():
            order = self.orders.get(order_id)
            if order is None:
                continue
            half = self.halves[order.half]
            if command.security_id in (None, half.security_id):
                del self.orders[order_id]
                self._discard(order, half, "requested", events)
                half.remove(order)
                canceled += 1
        if owner:
            self._sweep_owner(owner)
        events.append(MassCancelReport(command.client_id, command.security_id, canceled))

    def _amend(self, own_id: int, command: AmendOrder, events: list[Event]) -> None:
        order = self.orders.get(command.order_id)
        if order is None or order.owner.client_id != command.client_id:
            reason, index = self._why_not_open(command.order_id, own_id)
            self._reject_amend(command, reason, self.halves[index] if index is not None else None, events)
            return
        half = self.halves[order.half]
        leaves = command.quantity - (order.quantity - order.leaves)
        held = held_amount(half.side, order.price_e4, order.leaves) + command.hold_added
        spare = held - held_amount(half.side, command.price_e4, leaves)
        if leaves < 0:
            self._reject_amend(command, RejectReason.AMEND_BELOW_FILLED, half, events)
        elif (command.quantity, command.price_e4) == (order.quantity, order.price_e4):
            self._reject_amend(command, RejectReason.AMEND_CHANGES_NOTHING, half, events)
        elif spare < 0:
            # The door holds enough for any number of fills meanwhile. If it did not, the order keeps its old terms.
            lacking = RejectReason.INSUFFICIENT_FUNDS if half.side == BUY else RejectReason.INSUFFICIENT_SHARES
            self._reject_amend(command, lacking, half, events)
        else:
            self._change_terms(order, half, command, leaves, spare, events)

    def _change_terms(
        self, order: Order, half: HalfBook, command: AmendOrder, leaves: int, spare: int, events: list[Event]
    ) -> None:
        order_id, quantity, price_e4 = command.order_id, command.quantity, command.price_e4
        events.append(
            OrderAmended(
                order_id,
                command.client_id,
                half.security_id,
                half.side,
                quantity,
                price_e4,
                leaves,
                order.price_e4,
                order.leaves,
                spare,
            )
        )
        if price_e4 == order.price_e4 and 0 < leaves < order.leaves:
            half.reduce(order, leaves)
            order.quantity = quantity
            return
        half.remove(order)
        del self.orders[order_id]
        if not leaves:
            self.ended.recent[order_id] = half.index << 2 | FILLED
            return
        amended = Order(order_id, order.owner, half.index, price_e4, leaves, quantity)
        if self._take(amended, half, self.halves[half.index ^ 1], None, events):
            self.orders[order_id] = half.rest(order_id, order.owner, price_e4, amended.leaves, quantity)

    def _reject_amend(
        self, command: AmendOrder, reason: RejectReason, half: HalfBook | None, events: list[Event]
    ) -> None:
        if half is not None:
            security_id: str | None = half.security_id
            side: Side | None = half.side
        else:
            # Ended so long ago that only the door's word is left of where its hold is.
            security_id, side = command.security_id, command.side
        released = command.hold_added if side is not None else 0
        rejected = AmendRejected(command.order_id, command.client_id, reason.code, security_id, side, released)
        events.append(rejected)

    def _why_not_open(self, order_id: int, own_id: int) -> tuple[RejectReason, int | None]:
        """Why the command with id `own_id` can't touch this order, and the order's half book if it is known."""
        ended = self.ended.find(order_id)
        if ended is not None:
            return ended
        if order_id in self.orders or not sharded_id(self.shard, 0) < order_id < own_id:
            return RejectReason.UNKNOWN_ORDER, None
        return RejectReason.ORDER_NOT_OPEN, None

    def _match(self, taker: Order, opposite: HalfBook, events: list[Event]) -> bool:
        """Trade as far as price and quantity allow. True if an own order stopped it."""
        limit_e4, sign = taker.price_e4 * opposite.sign, opposite.sign
        while taker.leaves and opposite.best * sign <= limit_e4:
            level = opposite.levels[opposite.best]
            met_own = self._match_level(taker, opposite, level, events)
            if not level.quantity:
                opposite.find_best()
            if met_own:
                return True
        return False

    def _match_level(self, taker: Order, opposite: HalfBook, level: PriceLevel, events: list[Event]) -> bool:
        """Trade with one level, oldest order first. True if an own order stopped it."""
        owner, leaves, available = taker.owner, taker.leaves, level.quantity
        met_own = False
        filled: list[int] = []
        level.tidy()
        for maker in level.queue.values():
            if maker.owner is owner:
                met_own = True
                break
            maker_leaves = maker.leaves
            quantity = maker_leaves if maker_leaves < leaves else leaves
            leaves -= quantity
            available -= quantity
            maker.leaves = maker_leaves - quantity
            self._trade(taker, leaves, maker, opposite, quantity, events)
            if maker_leaves == quantity:
                filled.append(maker.order_id)
            if not leaves:
                break
        for order_id in filled:
            del level.queue[order_id], self.orders[order_id]
            self.ended.recent[order_id] = opposite.index << 2 | FILLED
        level.left += len(filled)
        level.quantity = available
        taker.leaves = leaves
        return met_own

    def _trade(
        self, taker: Order, taker_leaves: int, maker: Order, half: HalfBook, quantity: int, events: list[Event]
    ) -> None:
        self.trade_count += 1
        trade_id = sharded_id(self.shard, self.trade_count)
        price_e4 = maker.price_e4
        aggressor: Side
        if half.side == BUY:
            aggressor, buy, buy_leaves, sell, sell_leaves = SELL, maker, maker.leaves, taker, taker_leaves
        else:
            aggressor, buy, buy_leaves, sell, sell_leaves = BUY, taker, taker_leaves, maker, maker.leaves
        events.append(
            Trade(
                trade_id,
                half.security_id,
                price_e4,
                quantity,
                aggressor,
                buy.order_id,
                buy.owner.client_id,
                buy.price_e4,
                buy_leaves,
                sell.order_id,
                sell.owner.client_id,
                sell_leaves,
            )
        )

    def _discard(self, order: Order, half: HalfBook, reason: CancelReason, events: list[Event]) -> None:
        """Tell that what is left of an order is canceled, and remember it."""
        order_id = order.order_id
        events.append(
            OrderCanceled(
                order_id,
                order.owner.client_id,
                half.security_id,
                half.side,
                order.price_e4,
                order.leaves,
                reason,
            )
        )
        self.ended.recent[order_id] = half.index << 2 | CANCELED

    def _sweep_owner(self, owner: Owner) -> None:
        owner.order_ids = [order_id for order_id in owner.order_ids if order_id in self.orders]
        owner.limit = 2 * len(owner.order_ids) + 64


def _can_fill(order: Order, opposite: HalfBook) -> bool:
    """Whether all of `order` would trade at once, before it meets an own order."""
    wanted, sign = order.leaves, opposite.sign
    for price_e4 in opposite.prices():
        if price_e4 * sign > order.price_e4 * sign:
            return False
        for maker in opposite.levels[price_e4].queue.values():
            if maker.owner is order.owner:
                return False
            wanted -= maker.leaves
            if wanted <= 0:
                return True
    return False


def _remainder(order_type: OrderType, time_in_force: TimeInForce) -> CancelReason:
    """Why the rest of an order that may not rest is canceled."""
    if time_in_force == FOK:
        return "fok_unfilled"
    return "market_remainder" if order_type == MARKET else "ioc_remainder"
