"""From the records of a snapshot back to the books of a shard."""

from matching_engine.domain.book import Book, BookSide, Order, TermedOrder
from matching_engine.domain.day_state import DayState
from matching_engine.domain.shard import Shard
from matching_engine.domain.snapshot import RestingOrder, WaitingStop
from matching_engine.domain.stops import StopOrder
from venue_protocol.fees import FeeRates


def restore_side(shard: Shard, book_side: BookSide, resting: list[RestingOrder]) -> None:
    """Put the orders of a book side back into their queues, in their order."""
    for entry in resting:
        owner = shard.client_of(entry.client_id)
        if entry.terms is None:
            order = book_side.rest(
                entry.order_id, owner, entry.price_e4, entry.leaves, entry.quantity
            )
        else:
            order = TermedOrder(
                entry.order_id,
                owner,
                book_side.index,
                entry.price_e4,
                entry.leaves,
                entry.quantity,
                entry.terms,
                reserve=entry.reserve,
            )
            book_side.enter(order)
        restore_order(shard, order)


def restore_stops(shard: Shard, book: Book, stops: list[WaitingStop]) -> None:
    """Let the stops of a book wait again."""
    for entry in stops:
        book_side, owner, quantity = (
            book.side_of(entry.side),
            shard.client_of(entry.client_id),
            entry.quantity,
        )
        order = TermedOrder(
            entry.order_id, owner, book_side.index, entry.price_e4, quantity, quantity, entry.terms
        )
        book.stops.add(
            StopOrder(order, entry.side, entry.terms.stop_price_e4 or 0, entry.becomes_market)
        )
        restore_order(shard, order)


def restore_books(shard: Shard, state: DayState) -> None:
    """After the books were restored: what each of them knows of the day."""
    for known in state.books:
        book = shard.books[known.security_id]
        book.day_orders = dict(known.day_orders)
        book.unpriced = set(known.unpriced)
        for entry in known.closing:
            owner, book_side = shard.client_of(entry.client_id), book.side_of(entry.side)
            place = (
                entry.order_id,
                owner,
                book_side.index,
                entry.price_e4,
                entry.leaves,
                entry.quantity,
            )
            order = Order(*place) if entry.terms is None else TermedOrder(*place, entry.terms)
            book.closing[entry.order_id] = order
            restore_order(shard, order)
        if known.indicated is not None:
            shard.indicated[known.security_id] = known.indicated


def restore_fees(shard: Shard, fees: list[tuple[int, FeeRates]]) -> None:
    """After all orders were restored: give those that cost something their rates."""
    for order_id, rates in fees:
        shard.orders[order_id].fees = rates


def restore_order(shard: Shard, order: Order) -> None:
    """Note an order that was put back with the shard and its owner."""
    shard.orders[order.order_id] = order
    order.owner.order_ids.append(order.order_id)
    if order.terms is not None and order.terms.expires_us is not None:
        shard.add_expiry(order.terms.expires_us, order.order_id)
