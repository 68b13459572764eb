"""How orders leave: canceled by their client, or because their time is over."""

from heapq import heappop

from matching_engine.domain.book import Book, BookSide, Order
from matching_engine.domain.reports import discard, discard_expired
from matching_engine.domain.shard import Shard
from venue_protocol.commands import CancelAllOrders, CancelOrder
from venue_protocol.events import CancelRejected, Event, MassCancelReport
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import CancelReason
from venue_protocol.refusals import RejectReason


def cancel(shard: Shard, own_id: int, command: CancelOrder, events: list[Event]) -> None:
    """Cancel what is left of an order of its client, or tell why not."""
    order_id = command.order_id
    order = shard.orders.get(order_id)
    if order is None or order.owner.client_id != command.client_id:
        reason, _ = why_not_open(shard, order_id, own_id)
        events.append(CancelRejected(order_id, command.client_id, reason.code))
        return
    book_side = shard.sides[order.side_index]
    discard(shard, order, book_side, "requested", events)
    if order.terms is None and not book_side.book.closing:
        del shard.orders[order_id]
        book_side.remove(order)
    else:
        withdraw(shard, order, book_side)


def cancel_all(shard: Shard, command: CancelAllOrders, events: list[Event]) -> None:
    """Cancel all open orders of a client, or those in one security, oldest first."""
    owner = shard.clients.get(command.client_id)
    canceled = 0
    for order_id in owner.order_ids if owner else ():
        order = shard.orders.get(order_id)
        if order is None:
            continue
        book_side = shard.sides[order.side_index]
        if command.security_id in (None, book_side.security_id):
            discard(shard, order, book_side, "requested", events)
            withdraw(shard, order, book_side)
            canceled += 1
    if owner:
        shard.forget_ended_orders(owner)
    events.append(MassCancelReport(command.client_id, command.security_id, canceled))


def why_not_open(shard: Shard, order_id: int, own_id: int) -> tuple[RejectReason, int | None]:
    """Why the command with id `own_id` can't touch this order, and the order's book side if it
    is known.
    """
    ended = shard.ended.find(order_id)
    if ended is not None:
        return ended
    if order_id in shard.orders or not sharded_id(shard.shard, 0) < order_id < own_id:
        return RejectReason.UNKNOWN_ORDER, None
    return RejectReason.ORDER_NOT_OPEN, None


def expire(shard: Shard, time_us: int, events: list[Event]) -> None:
    """End what is due at this time, earliest first."""
    expiries = shard.expiries
    while expiries and expiries[0][0] <= time_us:
        _, order_id = heappop(expiries)
        order = shard.orders.get(order_id)
        if order is not None:
            book_side = shard.sides[order.side_index]
            withdraw(shard, order, book_side)
            discard_expired(shard, order, book_side, events)


def withdraw(shard: Shard, order: Order, book_side: BookSide) -> None:
    """Take an open order out of its queue, or from among those that wait."""
    order_id, book = order.order_id, book_side.book
    del shard.orders[order_id]
    if book.closing and book.closing.pop(order_id, None) is not None:
        return
    if order.terms is None:
        book_side.remove(order)
    elif not book.stops.remove(order_id):
        book_side.withdraw(order)


def end_orders(
    shard: Shard,
    book: Book,
    time_in_force: str,
    reason: CancelReason,
    events: list[Event],
    with_closing: bool = True,
) -> None:
    """End the open orders of this time in force, oldest first."""
    for order_id in sorted(name for name, tif in book.day_orders.items() if tif == time_in_force):
        order = shard.orders.get(order_id)
        if order is not None and order_id in book.closing and not with_closing:
            continue
        del book.day_orders[order_id]
        book.unpriced.discard(order_id)
        if order is not None:
            book_side = shard.sides[order.side_index]
            withdraw(shard, order, book_side)
            if reason == "expired":
                discard_expired(shard, order, book_side, events)
            else:
                discard(shard, order, book_side, reason, events)
