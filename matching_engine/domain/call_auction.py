"""Call auctions: uncrossing a book at one price, and saying beforehand what that would do."""

from matching_engine.domain.auction import clearing
from matching_engine.domain.book import Book, BookSide, Order, hide_reserve
from matching_engine.domain.cancellation import withdraw
from matching_engine.domain.collected_orders import CollectedOrders, touched_security
from matching_engine.domain.crossed_orders import (
    crossing_levels,
    own_pairs,
    pairs,
    unlimited_prices,
)
from matching_engine.domain.reports import discard, report_reduced, report_trade
from matching_engine.domain.self_trades import prevented_shares, prevention
from matching_engine.domain.shard import Shard
from venue_protocol.events import AuctionIndication, Event, OrderReleased

_NOTHING = (None, 0, 0, None)
"""The indication of a book that does not cross."""


def uncross(shard: Shard, book: Book, events: list[Event]) -> None:
    """Trade what the auction's one price clears, in price-time priority on both sides."""
    if book.bids.best < book.asks.best:
        return
    for buy, sell in own_pairs(book):
        if buy.order_id in shard.orders and sell.order_id in shard.orders:
            _prevent_self_trade(shard, buy, sell, events)
    bids, asks = crossing_levels(book)
    found = clearing(bids, asks, shard.reference_e4(book), unlimited_prices(book))
    if found is None:
        return
    for buy, sell, quantity in pairs(book, found.price_e4, found.paired):
        _fill(shard, buy, book.bids, quantity)
        _fill(shard, sell, book.asks, quantity)
        report_trade(shard, buy, buy.leaves, sell, book.asks, quantity, events, found.price_e4)


def _prevent_self_trade(shard: Shard, buy: Order, sell: Order, events: list[Event]) -> None:
    """Keep two own orders that cross from trading with each other, as the newer one's
    prevention says.
    """
    newer, older = (buy, sell) if buy.order_id > sell.order_id else (sell, buy)
    lost = prevented_shares(newer.leaves, older.leaves, prevention(newer))
    ended = []
    for order, shares in zip((newer, older), lost, strict=True):
        if shares == order.leaves:
            ended.append(order)
        elif shares:
            book_side = shard.sides[order.side_index]
            order.quantity -= shares
            book_side.reduce(order, order.leaves - shares)
            report_reduced(shard, order, book_side, shares, events)
    for order in ended:
        book_side = shard.sides[order.side_index]
        withdraw(shard, order, book_side)
        discard(shard, order, book_side, "self_trade_prevention", events)


def _fill(shard: Shard, order: Order, book_side: BookSide, quantity: int) -> None:
    if quantity < order.leaves:
        book_side.reduce(order, order.leaves - quantity)
        return
    book_side.withdraw(order) if order.terms is not None else book_side.remove(order)
    order.leaves = 0
    del shard.orders[order.order_id]
    shard.ended.recent[order.order_id] = book_side.filled


def release_closing_orders(shard: Shard, book: Book, events: list[Event]) -> None:
    """The CLS orders that wait enter the book, oldest first."""
    waiting, book.closing = book.closing, {}
    for order_id in sorted(waiting):
        order = waiting[order_id]
        book_side = shard.sides[order.side_index]
        book_side.enter(hide_reserve(order))
        events.append(
            OrderReleased(
                order_id,
                order.owner.client_id,
                book.security_id,
                book_side.side,
                order.price_e4,
                order.leaves,
            )
        )


def indicate(shard: Shard, events: list[Event]) -> None:
    """Publish what each auction would do now, where that is another than before."""
    touched = shard.collecting.keys() - shard.collected.keys()
    for event in events:
        changed = touched_security(event)
        if changed is not None and changed in shard.collected:
            shard.collected[changed].follow(event, shard.orders)
            touched.add(changed)
    for name in sorted(touched):
        if name not in shard.collected:
            book = shard.collecting[name]
            shard.collected[name] = CollectedOrders(book, shard.reference_e4(book))
        found = shard.collected[name].price()
        now = (found.price_e4, found.paired, found.imbalance, found.side) if found else _NOTHING
        if now != shard.indicated.get(name, _NOTHING):
            shard.indicated[name] = now
            events.append(AuctionIndication(name, *now))
