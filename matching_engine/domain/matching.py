"""Matching: an incoming order meets the resting ones, price first, then time. Trades print at the
resting price.
"""

from matching_engine.domain.book import Book, HalfBook, Order, Owner, PriceLevel, show
from matching_engine.domain.ended_orders import CANCELED, FILLED, EndedOrders
from matching_engine.domain.self_trades import prevention
from venue_protocol.events import (
    Event,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    OrderTriggered,
    Trade,
)
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import (
    BUY,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    DECREMENT,
    SELL,
    CancelReason,
    Side,
)


class Matching:
    """The books of a shard, and what an incoming order does to them.

    The layers above: entering, amending, engine.
    """

    __slots__ = (
        "books",
        "elections_due",
        "ended",
        "halves",
        "orders",
        "owners",
        "shard",
        "time_us",
        "trade_count",
    )

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self.trade_count = 0
        self.time_us = 0
        """Time of the batch that is being applied, or was applied last."""
        self.books: dict[str, Book] = {}
        self.halves: list[HalfBook] = []
        self.orders: dict[int, Order] = {}
        """Every open order: those that rest, and the stops that wait."""
        self.owners: dict[str, Owner] = {}
        self.ended = EndedOrders()
        self.elections_due: list[Book] = []
        """Books with elected stops, which take their turn when the present command is done."""

    def depth(
        self, security_id: str, most: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and asks as (price_e4, shares shown), best first, `most` levels each at most; empty
        if unknown.
        """
        book = self.books.get(security_id)
        return (book.bids.depth(most), book.asks.depth(most)) if book else ([], [])

    def _open_book(self, security_id: str) -> Book:
        book = self.books[security_id] = Book(len(self.books), security_id)
        self.halves += (book.bids, book.asks)
        return book

    def _owner(self, client_id: str) -> Owner:
        owner = self.owners.get(client_id)
        if owner is None:
            owner = self.owners[client_id] = Owner(client_id)
        return owner

    def _sweep_owner(self, owner: Owner) -> None:
        owner.order_ids = [order_id for order_id in owner.order_ids if order_id in self.orders]
        owner.limit = 2 * len(owner.order_ids) + 64

    def _take(
        self,
        order: Order,
        half: HalfBook,
        opposite: HalfBook,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> bool:
        """Trade an incoming order.

        True if what is left of it shall rest; else it is filled, or canceled.
        """
        if opposite.book.is_special:
            return self._take_in_phase(order, half, opposite, remainder, events)
        if remainder != "fok_unfilled" or can_fill(order, opposite, order.leaves):
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

    def _take_in_phase(
        self,
        order: Order,
        half: HalfBook,
        opposite: HalfBook,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> bool:
        """What `_take` is in a book that does not trade, or only within a band: the trading
        day's.
        """
        raise NotImplementedError

    def _match(
        self, taker: Order, opposite: HalfBook, events: list[Event], worst_e4: int | None = None
    ) -> bool:
        """Trade as far as price and quantity allow, at `worst_e4` at worst.

        True if an own order stopped it.
        """
        sign = opposite.sign
        limit_e4 = (taker.price_e4 if worst_e4 is None else worst_e4) * sign
        while taker.leaves and opposite.best * sign <= limit_e4:
            level = opposite.levels[opposite.best]
            if level.reserve:
                met_own = self._match_icebergs(taker, opposite, level, events)
            else:
                met_own = self._match_level(taker, opposite, level, events)
            if not level.quantity:
                opposite.find_best()
            if met_own and not self._pass_own(taker, opposite, level, events):
                break
        else:
            met_own = False
        if opposite.stops.parked:
            self._elect(opposite.book, events)
        return met_own

    def _elect(self, book: Book, events: list[Event]) -> None:
        """Elect stops by the trades that stand at the end of the events."""
        prices = []
        for event in reversed(events):
            if type(event) is Trade:
                prices.append(event.price_e4)
            elif type(event) in (OrderAccepted, OrderAmended, OrderTriggered):
                break
        if prices and book.stops.elect(min(prices), max(prices)):
            self.elections_due.append(book)

    def _match_level(
        self, taker: Order, opposite: HalfBook, level: PriceLevel, events: list[Event]
    ) -> bool:
        """Trade with one level without icebergs, oldest order first.

        True if an own order comes next.
        """
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

    def _match_icebergs(
        self, taker: Order, opposite: HalfBook, level: PriceLevel, events: list[Event]
    ) -> bool:
        """Trade with one level order by order. An iceberg whose shown part is gone shows more at
        the back of the queue.

        True if an own order comes next.
        """
        while taker.leaves and level.quantity:
            level.tidy()
            maker = next(iter(level.queue.values()))
            if maker.owner is taker.owner:
                return True
            shown = maker.leaves - maker.reserve
            quantity = min(shown, taker.leaves)
            taker.leaves -= quantity
            maker.leaves -= quantity
            level.quantity -= quantity
            self._trade(taker, taker.leaves, maker, opposite, quantity, events)
            if quantity < shown:
                break
            del level.queue[maker.order_id]
            level.left += 1
            if maker.leaves:
                level.reserve -= maker.reserve
                opposite.enter(show(maker))
            else:
                del self.orders[maker.order_id]
                self.ended.recent[maker.order_id] = opposite.index << 2 | FILLED
        return False

    def _pass_own(
        self, taker: Order, opposite: HalfBook, level: PriceLevel, events: list[Event]
    ) -> bool:
        """Do to the own order in front what the incoming order's self-trade prevention says.

        True if that goes on.
        """
        mode = prevention(taker)
        if mode == CANCEL_NEWEST:
            return False
        maker = next(iter(level.queue.values()))
        if mode == DECREMENT and maker.leaves > taker.leaves:
            leaves = maker.leaves - taker.leaves
            maker.quantity -= taker.leaves
            opposite.reduce(maker, leaves)
            self._tell_reduced(maker, opposite, taker.leaves, events)
            return False
        del self.orders[maker.order_id]
        self._discard(maker, opposite, "self_trade_prevention", events)
        opposite.withdraw(maker)
        if mode == DECREMENT and maker.leaves < taker.leaves:
            taker.quantity -= maker.leaves
            taker.leaves -= maker.leaves
            self._tell_reduced(taker, self.halves[opposite.index ^ 1], maker.leaves, events)
            return True
        return mode == CANCEL_OLDEST

    def _trade(
        self,
        taker: Order,
        taker_leaves: int,
        maker: Order,
        half: HalfBook,
        quantity: int,
        events: list[Event],
    ) -> None:
        self.trade_count += 1
        trade_id = sharded_id(self.shard, self.trade_count)
        price_e4 = half.book.last_e4 = maker.price_e4
        aggressor: Side
        if half.side == BUY:
            aggressor, buy, buy_leaves, sell, sell_leaves = (
                SELL,
                maker,
                maker.leaves,
                taker,
                taker_leaves,
            )
        else:
            aggressor, buy, buy_leaves, sell, sell_leaves = (
                BUY,
                taker,
                taker_leaves,
                maker,
                maker.leaves,
            )
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

    def _discard(
        self, order: Order, half: HalfBook, reason: CancelReason, events: list[Event]
    ) -> None:
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

    def _tell_reduced(
        self, order: Order, half: HalfBook, reduced: int, events: list[Event]
    ) -> None:
        events.append(
            OrderReduced(
                order.order_id,
                order.owner.client_id,
                half.security_id,
                half.side,
                order.price_e4,
                reduced,
                order.quantity,
                order.leaves,
            )
        )


def can_fill(order: Order, opposite: HalfBook, wanted: int, worst_e4: int | None = None) -> bool:
    """Whether `wanted` shares of `order` would trade at once, at `worst_e4` at worst, before an own
    order stops or shortens it.
    """
    limit_e4 = order.price_e4 if worst_e4 is None else worst_e4
    sign, passes_own = opposite.sign, prevention(order) == CANCEL_OLDEST
    for price_e4 in opposite.prices():
        if price_e4 * sign > limit_e4 * sign:
            return False
        hidden = 0
        for maker in opposite.levels[price_e4].queue.values():
            if maker.owner is order.owner:
                if passes_own:
                    continue
                return False
            wanted -= maker.leaves - maker.reserve
            hidden += maker.reserve
            if wanted <= 0:
                return True
        # Reserves show only once the whole queue before them has traded.
        wanted -= hidden
        if wanted <= 0:
            return True
    return False
