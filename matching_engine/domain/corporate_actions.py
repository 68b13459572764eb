"""Corporate actions in the engine: what becomes of a book and its open orders.

The security is halted or closed, so nothing trades and nothing is collected for an auction. Among
orders that come to stand at one price, those that stood in front before stay in front.
"""

from matching_engine.domain.book import Book, Order, hide_reserve
from matching_engine.domain.cancellation import withdraw
from matching_engine.domain.order_adjustment import AdjustedTerms, split_order
from matching_engine.domain.reports import discard, report_news
from matching_engine.domain.shard import Shard
from matching_engine.domain.stops import StopOrder
from venue_protocol.commands import ApplyCorporateAction
from venue_protocol.events import CorporateActionApplied, Event, OrderAdjusted
from venue_protocol.holds import held_amount


def apply_action(
    shard: Shard, action_id: int, command: ApplyCorporateAction, events: list[Event]
) -> None:
    """Apply a corporate action to a book.

    What it cancels is told first, so that holds are released before shares go; then the action
    itself; then what it adjusts, so that shares are there before holds grow.
    """
    name, action = command.security_id, command.action
    book = shard.books.get(name)
    if book is not None and action.is_reverse:
        for order in _open_orders(shard, book):
            _cancel(shard, order, events)
    reference_e4 = action.price_e4(command.reference_price_e4, command.tick_e4)
    shard.references[name] = reference_e4
    report_news(shard, CorporateActionApplied(action_id, name, action, reference_e4), events)
    if book is None:
        return
    if not action.is_reverse:
        _adjust_orders(shard, book, command, events)
    if book.last_e4 is not None:
        book.last_e4 = action.price_e4(book.last_e4)
    band = shard.bands.get(name)
    if band is not None:
        band.restart(action.price_e4(band.reference_e4))
    shard.note_phase(book)


def _open_orders(shard: Shard, book: Book) -> list[Order]:
    """All open orders of a book, those that wait included, oldest first."""
    sides = (book.bids.index, book.asks.index)
    return [order for _, order in sorted(shard.orders.items()) if order.side_index in sides]


def _cancel(shard: Shard, order: Order, events: list[Event]) -> None:
    book_side = shard.sides[order.side_index]
    discard(shard, order, book_side, "corporate_action", events)
    withdraw(shard, order, book_side)


def _adjust_orders(
    shard: Shard, book: Book, command: ApplyCorporateAction, events: list[Event]
) -> None:
    """Give each open order its terms after the action, and put the resting ones back in place."""
    changes: dict[int, AdjustedTerms] = {}
    for order in _open_orders(shard, book):
        adjusted = _adjusted(shard, order, command)
        if adjusted is None:
            _cancel(shard, order, events)
        elif adjusted != (order.price_e4, order.leaves, order.terms):
            changes[order.order_id] = adjusted
            _report(shard, order, adjusted, events)
    for book_side in (book.bids, book.asks):
        for order in book_side.take_all():
            if order.order_id in changes:
                _change(order, changes[order.order_id])
                hide_reserve(order)
            book_side.enter(order)
    for order in book.closing.values():
        if order.order_id in changes:
            _change(order, changes[order.order_id])
    for stop in list(book.stops.stops()):
        if stop.order.order_id in changes:
            _move_stop(book, stop, changes[stop.order.order_id])


def _adjusted(shard: Shard, order: Order, command: ApplyCorporateAction) -> AdjustedTerms | None:
    side = shard.sides[order.side_index].side
    return split_order(
        command.action,
        side,
        order.price_e4,
        order.leaves,
        order.terms,
        command.tick_e4,
        command.lot,
        order.held_bps,
    )


def _report(shard: Shard, order: Order, adjusted: AdjustedTerms, events: list[Event]) -> None:
    book_side = shard.sides[order.side_index]
    side = book_side.side
    held_bps = order.held_bps
    held = held_amount(side, order.price_e4, order.leaves, held_bps)
    events.append(
        OrderAdjusted(
            order.order_id,
            order.owner.client_id,
            book_side.security_id,
            side,
            order.quantity - order.leaves + adjusted.leaves,
            adjusted.price_e4,
            adjusted.leaves,
            order.price_e4,
            order.leaves,
            held_amount(side, adjusted.price_e4, adjusted.leaves, held_bps) - held,
            adjusted.terms,
        )
    )


def _change(order: Order, adjusted: AdjustedTerms) -> None:
    order.quantity += adjusted.leaves - order.leaves
    order.price_e4, order.leaves, order.terms = adjusted


def _move_stop(book: Book, stop: StopOrder[Order], adjusted: AdjustedTerms) -> None:
    """Let a stop wait at its new stop price."""
    book.stops.remove(stop.order.order_id)
    _change(stop.order, adjusted)
    assert adjusted.terms is not None and adjusted.terms.stop_price_e4 is not None
    stop.stop_price_e4 = adjusted.terms.stop_price_e4
    book.stops.add(stop)
