"""What a call auction has collected from each client, and what it would do with it now.

The indication is what the uncrossing would do, self-trade prevention included. Two own orders that
cross never trade with each other: before anything trades they lose shares, as the newer one says.
That concerns one client's orders alone. So the shares that would be lost are kept by client, and
worked out again for a client whose orders changed.

Example: ann buys 50 at 105 and offers 50 at 95, bob offers 20 at 104. ann's newer order, the offer,
would be canceled. So 20 shares pair at 105, not 50 at 95.
"""

from collections.abc import Mapping

import msgspec
from sortedcontainers import SortedDict

from matching_engine.domain.auction import AuctionPrice
from matching_engine.domain.auction_levels import AuctionLevels
from matching_engine.domain.book import Book, Order
from matching_engine.domain.self_trades import prevented_shares, prevention
from venue_protocol.events import Event, OrderAccepted, OrderAmended, OrderCanceled, OrderReleased
from venue_protocol.orders import BUY, Side

_Place = tuple[int, int]
"""Price, times -1 for a buy, and the order's number of arrival: sorts by priority."""


class _Collected(msgspec.Struct, gc=False):
    """An order as it was collected."""

    order: Order
    side: Side
    price_e4: int
    leaves: int
    place: _Place
    is_priced: bool
    """Whether its price is a limit, and not the edge of the price band."""
    prevented: int = 0
    """Shares that self-trade prevention would take away."""


class _Client:
    """The collected orders of one client, best first."""

    __slots__ = ("buys", "prevented", "sells")

    def __init__(self) -> None:
        self.buys: SortedDict[_Place, _Collected] = SortedDict()
        self.sells: SortedDict[_Place, _Collected] = SortedDict()
        self.prevented: list[_Collected] = []
        """Those of its orders that would lose shares to self-trade prevention."""

    def of(self, side: Side) -> "SortedDict[_Place, _Collected]":
        """The buys or the sells."""
        return self.buys if side == BUY else self.sells


class CollectedOrders:
    """The resting orders of a book that collects for an auction."""

    def __init__(self, book: Book, reference_e4: int | None) -> None:
        self._book = book
        self._levels = AuctionLevels(reference_e4)
        self._orders: dict[int, _Collected] = {}
        self._clients: dict[str, _Client] = {}
        self._arrivals = 0
        for book_side in (book.bids, book.asks):
            for order in book_side.orders():
                self._enter(order, self._next_place(order, book_side.side), book_side.side)
        self._changed: set[str] = set(self._clients)
        """Clients whose orders changed since its lost shares were worked out."""

    def follow(self, event: Event, orders: Mapping[int, Order]) -> None:
        """Take over what an event changed. `orders`: all that are open now."""
        if isinstance(event, OrderAccepted | OrderReleased | OrderCanceled):
            self._refresh(event.order_id, event.side, orders, keeps_place=False)
        elif isinstance(event, OrderAmended):
            keeps_place = (
                event.price_e4 == event.previous_price_e4 and event.leaves < event.previous_leaves
            )
            self._refresh(event.order_id, event.side, orders, keeps_place)

    def price(self) -> AuctionPrice | None:
        """What the auction would do if it ended now; None if nothing would trade."""
        for client_id in sorted(self._changed):
            self._part(self._clients[client_id])
        self._changed.clear()
        return self._levels.price()

    def _refresh(
        self, order_id: int, side: Side, orders: Mapping[int, Order], keeps_place: bool
    ) -> None:
        known = self._orders.pop(order_id, None)
        if known is not None:
            self._leave(known)
        order = orders.get(order_id)
        if order is None or order_id in self._book.closing or order_id in self._book.stops.waiting:
            return
        place = known.place if known and keeps_place else self._next_place(order, side)
        self._enter(order, place, side)
        self._changed.add(order.owner.client_id)

    def _next_place(self, order: Order, side: Side) -> _Place:
        self._arrivals += 1
        return (-order.price_e4 if side == BUY else order.price_e4, self._arrivals)

    def _enter(self, order: Order, place: _Place, side: Side) -> None:
        is_priced = order.order_id not in self._book.unpriced
        collected = _Collected(order, side, order.price_e4, order.leaves, place, is_priced)
        self._orders[order.order_id] = collected
        client = self._clients.get(order.owner.client_id)
        if client is None:
            client = self._clients[order.owner.client_id] = _Client()
        client.of(side)[place] = collected
        self._add(collected, collected.leaves)

    def _leave(self, collected: _Collected) -> None:
        client_id = collected.order.owner.client_id
        del self._clients[client_id].of(collected.side)[collected.place]
        self._add(collected, collected.prevented - collected.leaves)
        collected.leaves = collected.prevented = 0
        self._changed.add(client_id)

    def _add(self, collected: _Collected, shares: int) -> None:
        bids, asks = (shares, 0) if collected.side == BUY else (0, shares)
        self._levels.add(collected.price_e4, bids, asks, shares if collected.is_priced else 0)

    def _part(self, client: _Client) -> None:
        """Work out again what self-trade prevention would take from the orders of a client."""
        for collected in client.prevented:
            self._add(collected, collected.prevented)
            collected.prevented = 0
        client.prevented = []
        if not client.buys or not client.sells:
            return
        buys, sells = iter(client.buys.values()), iter(client.sells.values())
        buy, sell = next(buys, None), next(sells, None)
        while buy is not None and sell is not None and buy.price_e4 >= sell.price_e4:
            is_buy_newer = buy.order.order_id > sell.order.order_id
            newer, older = (buy, sell) if is_buy_newer else (sell, buy)
            lost = prevented_shares(
                newer.leaves - newer.prevented,
                older.leaves - older.prevented,
                prevention(newer.order),
            )
            for collected, shares in zip((newer, older), lost, strict=True):
                if shares and not collected.prevented:
                    client.prevented.append(collected)
                collected.prevented += shares
            buy = buy if buy.prevented < buy.leaves else next(buys, None)
            sell = sell if sell.prevented < sell.leaves else next(sells, None)
        for collected in client.prevented:
            self._add(collected, -collected.prevented)


def touched_security(event: Event) -> str | None:
    """The security whose collected orders an event may have changed."""
    if isinstance(event, OrderAccepted | OrderReleased | OrderCanceled | OrderAmended):
        return event.security_id
    return None
