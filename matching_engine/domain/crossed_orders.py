"""Who trades with whom in an auction: the crossed part of a book, in price-time priority on both
sides.
"""

from collections import deque
from collections.abc import Iterator

from matching_engine.domain.book import Book, BookSide, Order


def crossing_levels(book: Book) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Price and shares, hidden ones included, of the levels of each side that meet the other side's
    best.
    """
    bids, asks = book.bids, book.asks
    return _levels(bids, asks.best), _levels(asks, bids.best)


def unlimited_prices(book: Book) -> set[int]:
    """Crossed prices at which only orders without a limit stand."""
    if not book.unpriced:
        return set()
    found: set[int] = set()
    limits: set[int] = set()
    for book_side, worst_e4 in ((book.bids, book.asks.best), (book.asks, book.bids.best)):
        for price_e4, _ in _levels(book_side, worst_e4):
            is_limit = any(name not in book.unpriced for name in book_side.levels[price_e4].queue)
            (limits if is_limit else found).add(price_e4)
    return found - limits


def own_pairs(book: Book) -> Iterator[tuple[Order, Order]]:
    """Of each client the first buy and the first sell that cross, until none do.

    The caller ends at least one of the two before it asks for the next pair; an order that ended
    has no leaves in the book any more, which shows in its level's queue.
    """
    bids, asks = book.bids, book.asks
    buys, sells = _by_owner(bids, asks.best), _by_owner(asks, bids.best)
    for client_id, own_buys in buys.items():
        own_sells = sells.get(client_id, deque())
        while own_buys and own_sells and own_buys[0].price_e4 >= own_sells[0].price_e4:
            yield own_buys[0], own_sells[0]
            for orders, book_side in ((own_buys, bids), (own_sells, asks)):
                if not _is_in(orders[0], book_side):
                    orders.popleft()


def pairs(book: Book, price_e4: int, quantity: int) -> Iterator[tuple[Order, Order, int]]:
    """Buy, sell and shares of each trade until `quantity` is traded at this price.

    The caller fills both orders.
    """
    buys, sells = _orders(book.bids, price_e4), _orders(book.asks, price_e4)
    i = j = 0
    while quantity:
        buy, sell = buys[i], sells[j]
        traded = min(buy.leaves, sell.leaves, quantity)
        yield buy, sell, traded
        quantity -= traded
        i += not buy.leaves
        j += not sell.leaves


def _levels(book_side: BookSide, worst_e4: int) -> list[tuple[int, int]]:
    found = []
    for price_e4 in book_side.prices():
        if price_e4 * book_side.sign > worst_e4 * book_side.sign:
            break
        level = book_side.levels[price_e4]
        found.append((price_e4, level.quantity + level.reserve))
    return found


def _orders(book_side: BookSide, worst_e4: int) -> list[Order]:
    """The orders at this price or better, in priority order."""
    return [
        order
        for price_e4, _ in _levels(book_side, worst_e4)
        for order in book_side.levels[price_e4].queue.values()
    ]


def _by_owner(book_side: BookSide, worst_e4: int) -> dict[str, deque[Order]]:
    owned: dict[str, deque[Order]] = {}
    for order in _orders(book_side, worst_e4):
        owned.setdefault(order.owner.client_id, deque()).append(order)
    return owned


def _is_in(order: Order, book_side: BookSide) -> bool:
    level = book_side.levels.get(order.price_e4)
    return level is not None and order.order_id in level.queue
