"""What must be true of an engine's books between two commands."""

from collections.abc import Iterable

from matching_engine.domain.book import Book, BookSide, ClientOrders, Order
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.orders import CLS


def check_books(
    books: Iterable[Book], orders: dict[int, Order], owners: dict[str, ClientOrders]
) -> None:
    """BrokenInvariant unless no book is crossed and queues, levels, prices and indexes agree with
    the orders.
    """
    resting: dict[int, Order] = {}
    for book in books:
        _require(
            book.bids.best < book.asks.best or not book.is_trading, f"{book.security_id} is crossed"
        )
        for book_side in (book.bids, book.asks):
            resting.update(_check_side(book_side))
        resting.update(_check_stops(book))
        resting.update(_check_closing(book))
    _require(resting == orders, "the queues, the stops and the index of open orders differ")
    for order_id, order in orders.items():
        _require(order is resting[order_id], f"order {order_id} is indexed by a copy")
        _require(
            owners[order.owner.client_id] is order.owner, f"order {order_id} has a foreign owner"
        )
    for owner in owners.values():
        ids = owner.order_ids
        _require(ids == sorted(set(ids)), f"orders of {owner.client_id} are not oldest first")
    listed = sum(order_id in orders for owner in owners.values() for order_id in owner.order_ids)
    _require(listed == len(orders), "an open order is not listed with its owner")


def _check_side(book_side: BookSide) -> dict[int, Order]:
    resting: dict[int, Order] = {}
    for price_e4, level in book_side.levels.items():
        orders = list(level.queue.values())
        _require(
            list(level.queue) == [order.order_id for order in orders],
            f"level {price_e4} is misnamed",
        )
        shown = sum(order.leaves - order.reserve for order in orders)
        _require(level.quantity == shown, f"level {price_e4} is not the sum")
        _require(
            level.reserve == sum(order.reserve for order in orders),
            f"reserve at {price_e4} is not the sum",
        )
        for order in orders:
            _require(
                order.price_e4 == price_e4 and order.side_index == book_side.index,
                f"order {order.order_id} is misplaced",
            )
            _require(
                0 < order.leaves <= order.quantity,
                f"order {order.order_id} has {order.leaves} leaves",
            )
            _require(0 <= order.reserve < order.leaves, f"order {order.order_id} shows nothing")
            most = order.terms.display_quantity if order.terms else None
            _require(
                order.reserve == 0 or most is not None,
                f"order {order.order_id} hides shares, but is no iceberg",
            )
            _require(
                most is None or order.leaves - order.reserve <= most,
                f"order {order.order_id} shows too much",
            )
            _require(order.order_id not in resting, f"order {order.order_id} rests twice")
            resting[order.order_id] = order
    live = [price_e4 for price_e4, level in book_side.levels.items() if level.quantity]
    _require(
        list(book_side.prices()) == sorted(live, reverse=book_side.sign < 0),
        f"prices of {book_side.security_id} are wrong",
    )
    best = next(book_side.prices(), book_side.none)
    _require(
        book_side.best == best,
        f"best price of {book_side.security_id} is {book_side.best}, not {best}",
    )
    return resting


def _check_stops(book: Book) -> dict[int, Order]:
    """The stops that wait: none that the last trade elects, each whole."""
    _require(book.stops.is_sound(), f"the stops of {book.security_id} are not listed as they are")
    waiting: dict[int, Order] = {}
    for stop in book.stops.stops():
        order, terms = stop.order, stop.order.terms
        _require(
            terms is not None and terms.stop_price_e4 == stop.stop_price_e4,
            f"stop {order.order_id} is misplaced",
        )
        _require(
            order.side_index == book.side_of(stop.side).index,
            f"stop {order.order_id} is on the wrong side",
        )
        _require(
            0 < order.leaves == order.quantity, f"stop {order.order_id} has {order.leaves} leaves"
        )
        elected = book.is_trading and book.last_e4 is not None and stop.is_elected_by(book.last_e4)
        _require(not elected, f"stop {order.order_id} waits, but the last trade elects it")
        waiting[order.order_id] = order
    return waiting


def _check_closing(book: Book) -> dict[int, Order]:
    """The CLS orders that wait for the closing auction: each whole, each known as CLS."""
    for order_id, order in book.closing.items():
        _require(
            order.order_id == order_id and order.leaves == order.quantity > 0,
            f"order {order_id} is not whole",
        )
        _require(
            book.day_orders.get(order_id) == CLS,
            f"order {order_id} waits for the closing, but is not CLS",
        )
    return book.closing


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenInvariant(otherwise)
