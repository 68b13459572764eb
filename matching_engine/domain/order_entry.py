"""Entering: what becomes of a new order, of a stop that is elected, and of an order whose time is
over.
"""

from heapq import heapify, heappop, heappush

from matching_engine.domain.book import Book, HalfBook, Order, TermedOrder, show
from matching_engine.domain.ended_orders import EXPIRED as ENDED_EXPIRED
from matching_engine.domain.matching import Matching, can_fill
from matching_engine.domain.stops import ParkedStop
from venue_protocol.commands import PlaceOrder
from venue_protocol.events import Event, OrderAccepted, OrderTriggered
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.orders import (
    BUY,
    EXPIRED,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    OF_THE_DAY,
    STOP,
    CancelReason,
    OrderTerms,
    OrderType,
    TimeInForce,
)

_FEW_EXPIRIES = 64


class Entering(Matching):
    """Takes orders in, and out again when they expire."""

    __slots__ = ("expiries", "expiries_limit")

    def __init__(self, shard: int) -> None:
        super().__init__(shard)
        self.expiries: list[tuple[int, int]] = []
        """A heap of (expires_us, order_id). Orders that ended meanwhile are swept out later."""
        self.expiries_limit = _FEW_EXPIRIES

    def _place(self, order_id: int, command: PlaceOrder, events: list[Event]) -> None:
        if command.terms is not None:
            self._place_with_terms(order_id, command, command.terms, events)
            return
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
        remainder = (
            None
            if time_in_force == GTC and order_type == LIMIT
            else _remainder(order_type, time_in_force)
        )
        if book.is_special or (time_in_force != GTC and time_in_force in OF_THE_DAY):
            order = Order(order_id, owner, half.index, price_e4, quantity, quantity)
            self._place_in_phase(order, half, command, remainder, events)
            return
        leaves = quantity
        if is_marketable or remainder is not None:
            order = Order(order_id, owner, half.index, price_e4, quantity, quantity)
            if not self._take(order, half, opposite, remainder, events):
                if self.elections_due:
                    self._hold_elections(events)
                return
            leaves = order.leaves
        self.orders[order_id] = half.rest(order_id, owner, price_e4, leaves, quantity)
        order_ids = owner.order_ids
        order_ids.append(order_id)
        if len(order_ids) > owner.limit:
            self._sweep_owner(owner)
        if is_marketable and self.elections_due:
            self._hold_elections(events)

    def _place_with_terms(
        self, order_id: int, command: PlaceOrder, terms: OrderTerms, events: list[Event]
    ) -> None:
        """Place an order that is more than limit, market, GTC, IOC or FOK."""
        quantity, order_type = command.quantity, command.order_type
        if quantity <= 0:
            raise BrokenInvariant(f"order {order_id} is logged with quantity {quantity}")
        book = self.books.get(command.security_id) or self._open_book(command.security_id)
        owner = self._owner(command.client_id)
        events.append(
            OrderAccepted(
                order_id,
                command.client_id,
                command.security_id,
                command.side,
                order_type,
                command.time_in_force,
                quantity,
                command.price_e4,
                command.client_order_id,
                terms,
            )
        )
        half = book.half(command.side)
        order = TermedOrder(
            order_id, owner, half.index, command.price_e4, quantity, quantity, terms
        )
        remainder = _remainder(order_type, command.time_in_force)
        if book.is_special or command.time_in_force in OF_THE_DAY:
            self._place_in_phase(order, half, command, remainder, events)
            return
        if self._take_in(order, terms, half, order_type, remainder, events):
            self._list(order)
        self._hold_elections(events)

    def _place_in_phase(
        self,
        order: Order,
        half: HalfBook,
        command: PlaceOrder,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> None:
        """Take in an order while plain entry does not do, or one bound to the trading day: the
        trading day's.
        """
        raise NotImplementedError

    def _bound_e4(self, order: Order, half: HalfBook) -> int:
        """The worst price at which this order may trade now."""
        raise NotImplementedError

    def _take_in(
        self,
        order: Order,
        terms: OrderTerms,
        half: HalfBook,
        order_type: OrderType,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> bool:
        """Let an order wait as a stop, or enter as its terms allow. False if it ended."""
        if terms.expires_us is not None and terms.expires_us <= self.time_us:
            self._discard_expired(order, half, events)
            return False
        if terms.stop_price_e4 is not None:
            self._park(
                ParkedStop(order, half.side, terms.stop_price_e4, order_type == STOP), half.book
            )
        elif not self._enter(order, terms, half, remainder, events):
            return False
        if terms.expires_us is not None:
            self._list_expiry(terms.expires_us, order.order_id)
        return True

    def _list(self, order: Order) -> None:
        """Note an open order with its owner."""
        owner = order.owner
        owner.order_ids.append(order.order_id)
        if len(owner.order_ids) > owner.limit:
            self._sweep_owner(owner)

    def _park(self, stop: ParkedStop[Order], book: Book) -> None:
        """Let a stop wait, unless the last trade elects it already: then its turn comes at once."""
        self.orders[stop.order.order_id] = stop.order
        book.stops.park(stop)
        if book.is_trading and book.last_e4 is not None and stop.is_elected_by(book.last_e4):
            book.stops.elect(book.last_e4, book.last_e4)
            self.elections_due.append(book)

    def _enter(
        self,
        order: Order,
        terms: OrderTerms | None,
        half: HalfBook,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> bool:
        """Match an order as its terms allow, and let the rest of it rest. False if it ended."""
        opposite = self.halves[half.index ^ 1]
        if (
            terms is not None
            and terms.is_post_only
            and half.book.is_trading
            and opposite.meets(order.price_e4)
        ):
            self._discard(order, half, "post_only_would_trade", events)
            return False
        least = terms.min_quantity if terms is not None else None
        if least is not None and not can_fill(order, opposite, least, self._bound_e4(order, half)):
            self._discard(order, half, "min_quantity_unmet", events)
            return False
        if not self._take(order, half, opposite, remainder, events):
            return False
        half.enter(show(order))
        self.orders[order.order_id] = order
        return True

    def _hold_elections(self, events: list[Event]) -> None:
        """Give each elected stop its turn; their trades may elect more."""
        while self.elections_due:
            book = self.elections_due.pop()
            while book.last_e4 is not None and (stop := book.stops.take(book.last_e4)) is not None:
                self._trigger(stop, book, events)

    def _trigger(self, stop: ParkedStop[Order], book: Book, events: list[Event]) -> None:
        order, half = stop.order, book.half(stop.side)
        assert book.last_e4 is not None
        events.append(
            OrderTriggered(
                order.order_id,
                order.owner.client_id,
                book.security_id,
                stop.side,
                order.price_e4,
                order.leaves,
                book.last_e4,
            )
        )
        del self.orders[order.order_id]
        self._enter(
            order, order.terms, half, "market_remainder" if stop.becomes_market else None, events
        )

    def _expire(self, time_us: int, events: list[Event]) -> None:
        """End what is due at this time, earliest first."""
        expiries = self.expiries
        while expiries and expiries[0][0] <= time_us:
            _, order_id = heappop(expiries)
            order = self.orders.get(order_id)
            if order is not None:
                half = self.halves[order.half]
                self._withdraw(order, half)
                self._discard_expired(order, half, events)

    def _withdraw(self, order: Order, half: HalfBook) -> None:
        """Take an open order out of its queue, or from among those that wait."""
        order_id, book = order.order_id, half.book
        del self.orders[order_id]
        if book.closing and book.closing.pop(order_id, None) is not None:
            return
        if order.terms is None:
            half.remove(order)
        elif not book.stops.remove(order_id):
            half.withdraw(order)

    def _discard_expired(self, order: Order, half: HalfBook, events: list[Event]) -> None:
        self._discard(order, half, EXPIRED, events)
        self.ended.recent[order.order_id] = half.index << 2 | ENDED_EXPIRED

    def _list_expiry(self, expires_us: int, order_id: int) -> None:
        if len(self.expiries) >= self.expiries_limit:
            self.expiries = [entry for entry in self.expiries if entry[1] in self.orders]
            heapify(self.expiries)
            self.expiries_limit = 2 * len(self.expiries) + _FEW_EXPIRIES
        heappush(self.expiries, (expires_us, order_id))


def _remainder(order_type: OrderType, time_in_force: TimeInForce) -> CancelReason | None:
    """Why the rest of an order that may not rest is canceled; None for one that may."""
    if time_in_force == FOK:
        return "fok_unfilled"
    if order_type == MARKET:
        return "market_remainder"
    return "ioc_remainder" if time_in_force == IOC else None
