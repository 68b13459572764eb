"""One security's book: two sides of price levels, each level a FIFO queue of resting orders.

Built for speed in plain Python, so the structures know nothing of events:
- a level's queue is a dict by order id, which keeps the order of entry and lets any order leave at
  once. Python finds the first entry of a dict by walking over those that left, so a level that many
  left is copied when it trades.
- prices are in a heap; an emptied level keeps its place there until it would be the best, because
  prices that were used are used again.
- nothing here points back from an order to its level, so there are no reference cycles.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import ClassVar

import msgspec

from matching_engine.domain.ended_orders import CANCELED, EXPIRED, FILLED, packed_end
from matching_engine.domain.stops import StopBook
from venue_protocol.fees import FeeRates
from venue_protocol.orders import BUY, SELL, OrderTerms, Side

NO_BID = -(1 << 62)
"""Best price of an empty side of bids: below every price."""
NO_ASK = 1 << 62
"""Best price of an empty side of asks: above every price."""

_LEAST_LEVEL_LIMIT = 64
_FEW_LEFT = 64
"""Orders that may have left a level before it is worth a copy."""


class ClientOrders(msgspec.Struct, gc=False):
    """A client, once for all its orders, with the orders it has open."""

    client_id: str
    order_ids: list[int] = []
    """Ids of its orders that rested, oldest first; those that ended meanwhile are swept out
    later.
    """
    limit: int = _LEAST_LEVEL_LIMIT
    """Length of `order_ids` at which to sweep."""


class Order(msgspec.Struct, gc=False):
    """A working order."""

    order_id: int
    owner: ClientOrders
    side_index: int
    """Index of its book side in the engine."""
    price_e4: int
    leaves: int
    """Open shares."""
    quantity: int
    """Total shares, filled ones included."""
    terms: OrderTerms | None = None
    """None for a plain order."""
    fees: FeeRates | None = None
    """None: it costs nothing."""
    reserve: ClassVar[int] = 0
    """Iceberg: those of the open shares that are not shown now."""

    @property
    def held_bps(self) -> int:
        """The highest fee rate, which the hold of a buy covers."""
        return self.fees.held_bps if self.fees is not None else 0


class TermedOrder(Order, gc=False):
    """A working order with terms of its own."""

    reserve: int = 0  # type: ignore[misc]


class PriceLevel(msgspec.Struct, gc=False):
    """The orders resting at one price."""

    price_e4: int
    quantity: int
    """Shown open shares of all its orders. 0: the level is empty."""
    queue: dict[int, Order]
    """By order id, oldest first."""
    left: int = 0
    """Orders that left the queue since it was last copied."""
    reserve: int = 0
    """Open shares of its icebergs that are not shown."""

    def compact(self) -> None:
        """Copy the queue if walking over those that left costs too much.

        A quarter of it left for each copy.
        """
        if self.left > _FEW_LEFT + (len(self.queue) >> 2):
            self.queue = dict(self.queue.items())
            self.left = 0


class BookSide:
    """The bids or the asks of one security."""

    __slots__ = (
        "_heap",
        "best",
        "book",
        "canceled",
        "expired",
        "filled",
        "index",
        "level_limit",
        "levels",
        "none",
        "security_id",
        "side",
        "sign",
        "stops",
    )

    def __init__(self, index: int, book: "Book", side: Side) -> None:
        self.index = index
        self.filled = packed_end(index, FILLED)
        """What `EndedOrders` notes of an order of this side that was filled."""
        self.canceled = packed_end(index, CANCELED)
        self.expired = packed_end(index, EXPIRED)
        self.book = book
        self.stops = book.stops
        self.security_id = book.security_id
        self.side = side
        self.sign = -1 if side == BUY else 1
        """Price times sign rises from the best price to the worst."""
        self.none = NO_BID if side == BUY else NO_ASK
        self.best = self.none
        """Best price with an open order; `none` if there is none."""
        self.levels: dict[int, PriceLevel] = {}
        self._heap: list[int] = []
        self.level_limit = _LEAST_LEVEL_LIMIT

    def rest(
        self, order_id: int, owner: ClientOrders, price_e4: int, leaves: int, quantity: int
    ) -> Order:
        """Put a new order at the back of the queue at its price."""
        level = self.levels.get(price_e4)
        if level is None:
            order = Order(order_id, owner, self.index, price_e4, leaves, quantity)
            self._add_level(PriceLevel(price_e4, leaves, {order_id: order}))
        else:
            # All orders of a level share one price object: less memory, fewer cold reads.
            order = Order(order_id, owner, self.index, level.price_e4, leaves, quantity)
            level.quantity += leaves
            level.queue[order_id] = order
        best = self.best
        if price_e4 > best if self.sign < 0 else price_e4 < best:
            self.best = price_e4
        return order

    def enter(self, order: Order) -> None:
        """Put a working order at the back of the queue at its price; its reserve is not shown."""
        shown = order.leaves - order.reserve
        level = self.levels.get(order.price_e4)
        if level is None:
            level = PriceLevel(order.price_e4, 0, {})
            self._add_level(level)
        level.quantity += shown
        level.reserve += order.reserve
        level.queue[order.order_id] = order
        if order.price_e4 * self.sign < self.best * self.sign:
            self.best = order.price_e4

    def remove(self, order: Order) -> None:
        """Take an order without a reserve out of its queue."""
        price_e4 = order.price_e4
        level = self.levels[price_e4]
        quantity = level.quantity = level.quantity - order.leaves
        if quantity:
            del level.queue[order.order_id]
            level.left += 1
        elif price_e4 == self.best:
            self.find_best()
        else:
            level.queue.clear()
            level.left = 0

    def withdraw(self, order: Order) -> None:
        """Take any order out of its queue, with its reserve."""
        level = self.levels[order.price_e4]
        level.quantity += order.reserve
        level.reserve -= order.reserve
        self.remove(order)

    def reduce(self, order: Order, leaves: int) -> None:
        """Leave an order fewer open shares, > 0, in its place.

        An iceberg gives of its reserve first.
        """
        level = self.levels[order.price_e4]
        gone = order.leaves - leaves
        hidden = min(gone, order.reserve)
        if isinstance(order, TermedOrder):
            order.reserve -= hidden
            level.reserve -= hidden
        level.quantity -= gone - hidden
        order.leaves = leaves

    def find_best(self) -> None:
        """Make `best` right after the best level was emptied; that level is gone then."""
        heap, levels, sign = self._heap, self.levels, self.sign
        while heap:
            price_e4 = heap[0] * sign
            if levels[price_e4].quantity:
                self.best = price_e4
                return
            heappop(heap)
            del levels[price_e4]
        self.best = self.none

    def prices(self) -> Iterator[int]:
        """Prices with open orders, best first.

        Each costs the logarithm of those before it, not of the book.
        """
        heap, levels, sign = self._heap, self.levels, self.sign
        ahead = [(heap[0], 0)] if heap else []
        while ahead:
            key, place = heappop(ahead)
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(heap):
                    heappush(ahead, (heap[child], child))
            if levels[key * sign].quantity:
                yield key * sign

    def depth(self, most: int) -> list[tuple[int, int]]:
        """The best `most` levels as (price_e4, shares), best first."""
        found: list[tuple[int, int]] = []
        for price_e4 in self.prices():
            if len(found) == most:
                break
            found.append((price_e4, self.levels[price_e4].quantity))
        return found

    def meets(self, price_e4: int) -> bool:
        """Whether an order of the other side with this limit would meet an order here."""
        return self.best * self.sign <= price_e4 * self.sign

    def orders(self) -> Iterator[Order]:
        """All resting orders in priority order."""
        for price_e4 in sorted(self.levels, key=self.sign.__mul__):
            yield from self.levels[price_e4].queue.values()

    def take_all(self) -> list[Order]:
        """Empty this side; its orders in priority order."""
        orders = list(self.orders())
        self.levels, self._heap, self.best = {}, [], self.none
        self.level_limit = _LEAST_LEVEL_LIMIT
        return orders

    def _add_level(self, level: PriceLevel) -> None:
        if len(self.levels) >= self.level_limit:
            self._sweep_levels()
        self.levels[level.price_e4] = level
        heappush(self._heap, level.price_e4 * self.sign)

    def _sweep_levels(self) -> None:
        """Forget the empty levels; the next sweep comes when the number of levels has doubled."""
        self.levels = {price_e4: level for price_e4, level in self.levels.items() if level.quantity}
        self._heap = [price_e4 * self.sign for price_e4 in self.levels]
        heapify(self._heap)
        self.level_limit = 2 * len(self.levels) + _LEAST_LEVEL_LIMIT


class Book:
    """Both sides of one security's book.

    The sides of the n-th book have the indexes 2n and 2n + 1.
    """

    __slots__ = (
        "asks",
        "bids",
        "closing",
        "day_orders",
        "day_orders_limit",
        "is_special",
        "is_trading",
        "last_e4",
        "security_id",
        "stops",
        "unpriced",
    )

    def __init__(self, number: int, security_id: str) -> None:
        self.security_id = security_id
        self.stops: StopBook[Order] = StopBook()
        self.last_e4: int | None = None
        """Price of the last trade."""
        self.is_trading = True
        """Whether its phase is continuous. Otherwise it may be crossed."""
        self.is_special = False
        """Whether it does not trade, or only within a volatility band: plain entry does not do
        then.
        """
        self.day_orders: dict[int, str] = {}
        """Time in force of its DAY, OPG and CLS orders by id; those that ended meanwhile are swept
        out later.
        """
        self.day_orders_limit = _LEAST_LEVEL_LIMIT
        self.closing: dict[int, Order] = {}
        """CLS orders that wait for the closing auction, by id."""
        self.unpriced: set[int] = set()
        """Ids of its market orders that rest for an auction: their price is the edge of the price
        band, which no client chose. All are bound to the day, and swept out with `day_orders`.
        """
        self.bids = BookSide(2 * number, self, BUY)
        self.asks = BookSide(2 * number + 1, self, SELL)

    def side_of(self, side: Side) -> BookSide:
        """The bids for BUY, the asks for SELL."""
        return self.bids if side == BUY else self.asks


def hide_reserve(order: Order) -> Order:
    """The order, as much of it in reserve as its terms hide when it enters a queue."""
    if isinstance(order, TermedOrder):
        most = order.terms.display_quantity if order.terms is not None else None
        order.reserve = 0 if most is None else max(0, order.leaves - most)
    return order
