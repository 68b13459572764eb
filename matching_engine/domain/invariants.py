"""What must be true of an engine's books between two commands."""

from collections.abc import Iterable

from matching_engine.domain.book import Book, HalfBook, Order, Owner


class BrokenInvariant(RuntimeError):
    """The engine's own state or its input is impossible. Ours to mend; the service must stop."""


def check_books(books: Iterable[Book], orders: dict[int, Order], owners: dict[str, Owner]) -> None:
    """BrokenInvariant unless no book is crossed and queues, levels, prices and indexes agree with the orders."""
    resting: dict[int, Order] = {}
    for book in books:
        _require(book.bids.best < book.asks.best, f"{book.security_id} is crossed")
        for half in (book.bids, book.asks):
            resting.update(_check_half(half))
    _require(resting == orders, "the queues and the index of open orders differ")
    for order_id, order in orders.items():
        _require(order is resting[order_id], f"order {order_id} is indexed by a copy")
        _require(owners[order.owner.client_id] is order.owner, f"order {order_id} has a foreign owner")
    for owner in owners.values():
        ids = owner.order_ids
        _require(ids == sorted(set(ids)), f"orders of {owner.client_id} are not oldest first")
    listed = sum(order_id in orders for owner in owners.values() for order_id in owner.order_ids)
    _require(listed == len(orders), "an open order is not listed with its owner")


def _check_half(half: HalfBook) -> dict[int, Order]:
    resting: dict[int, Order] = {}
    for price_e4, level in half.levels.items():
        orders = list(level.queue.values())
        _require(list(level.queue) == [order.order_id for order in orders], f"level {price_e4} is misnamed")
        _require(level.quantity == sum(order.leaves for order in orders), f"level {price_e4} is not the sum")
        for order in orders:
            _require(order.price_e4 == price_e4 and order.half == half.index, f"order {order.order_id} is misplaced")
            _require(0 < order.leaves <= order.quantity, f"order {order.order_id} has {order.leaves} leaves")
            _require(order.order_id not in resting, f"order {order.order_id} rests twice")
            resting[order.order_id] = order
    live = [price_e4 for price_e4, level in half.levels.items() if level.quantity]
    _require(list(half.prices()) == sorted(live, reverse=half.sign < 0), f"prices of {half.security_id} are wrong")
    best = next(half.prices(), half.none)
    _require(half.best == best, f"best price of {half.security_id} is {half.best}, not {best}")
    return resting


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenInvariant(otherwise)
