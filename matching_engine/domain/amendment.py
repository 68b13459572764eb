"""Amending: new terms for an open order, or the reason why not.

Less at the same price keeps the place in the queue; any other change goes to the back and may
trade. A waiting stop goes on waiting.

Example: BUY 10 at 100.00 holds 1,000.00 and 4 are filled, so 6 are open and 600.00 is held. An
amend to 12 at 101.00 leaves 8 open, which need 808.00. The gateway does not know of the 4 fills yet
and holds 212.00 more (1,212.00 - 1,000.00). So 812.00 are held, and the spare 4.00 is released.
"""

from matching_engine.domain.book import BookSide, Order, TermedOrder
from matching_engine.domain.cancellation import why_not_open
from matching_engine.domain.matching import match
from matching_engine.domain.order_entry import enter_book, trigger_elected
from matching_engine.domain.shard import Shard
from venue_protocol.commands import AmendOrder
from venue_protocol.events import AmendRejected, Event, OrderAmended
from venue_protocol.holds import held_amount
from venue_protocol.orders import BUY, OrderTerms, Side
from venue_protocol.refusals import RejectReason
from venue_protocol.trading_day import refuse_amend_in_phase


def amend(shard: Shard, own_id: int, command: AmendOrder, events: list[Event]) -> None:
    """Give an open order its new terms, or tell why not. `own_id`: the id that this command
    would give an order, which every order before it is below.
    """
    order = shard.orders.get(command.order_id)
    if order is None or order.owner.client_id != command.client_id:
        reason, index = why_not_open(shard, command.order_id, own_id)
        _reject_amend(
            shard, command, reason, shard.sides[index] if index is not None else None, events
        )
        return
    book_side = shard.sides[order.side_index]
    refused = _refuse_in_phase_of(shard, book_side)
    if refused is not None:
        _reject_amend(shard, command, refused, book_side, events)
        return
    leaves = command.quantity - (order.quantity - order.leaves)
    side, held_bps = book_side.side, order.held_bps
    held = held_amount(side, order.price_e4, order.leaves, held_bps) + command.hold_added
    spare = held - held_amount(side, command.price_e4, leaves, held_bps)
    if leaves < 0:
        _reject_amend(shard, command, RejectReason.AMEND_BELOW_FILLED, book_side, events)
    elif (command.quantity, command.price_e4) == (order.quantity, order.price_e4):
        _reject_amend(shard, command, RejectReason.AMEND_CHANGES_NOTHING, book_side, events)
    elif spare < 0:
        # The door holds enough for any number of fills meanwhile. If it did not, the order
        # keeps its old terms.
        lacking = (
            RejectReason.INSUFFICIENT_FUNDS if side == BUY else RejectReason.INSUFFICIENT_SHARES
        )
        _reject_amend(shard, command, lacking, book_side, events)
    elif order.terms is not None and _breaks_post_only(shard, order, order.terms, command.price_e4):
        _reject_amend(shard, command, RejectReason.POST_ONLY_WOULD_TRADE, book_side, events)
    else:
        _change_terms(shard, order, book_side, command, leaves, spare, events)


def _change_terms(
    shard: Shard,
    order: Order,
    book_side: BookSide,
    command: AmendOrder,
    leaves: int,
    spare: int,
    events: list[Event],
) -> None:
    order_id, quantity, price_e4 = command.order_id, command.quantity, command.price_e4
    events.append(
        OrderAmended(
            order_id,
            command.client_id,
            book_side.security_id,
            book_side.side,
            quantity,
            price_e4,
            leaves,
            order.price_e4,
            order.leaves,
            spare,
        )
    )
    terms = order.terms
    if order_id in book_side.book.closing or (
        terms is not None and order_id in book_side.book.stops.waiting
    ):
        order.quantity, order.leaves, order.price_e4 = quantity, leaves, price_e4
        return
    if price_e4 == order.price_e4 and 0 < leaves < order.leaves:
        book_side.reduce(order, leaves)
        order.quantity = quantity
        return
    book_side.remove(order) if terms is None else book_side.withdraw(order)
    del shard.orders[order_id]
    if not leaves:
        shard.ended.recent[order_id] = book_side.filled
        return
    opposite = shard.sides[book_side.index ^ 1]
    amended_as = (order_id, order.owner, book_side.index, price_e4, leaves, quantity, terms)
    if terms is None:
        amended = Order(*amended_as, order.fees)
        if match(shard, amended, book_side, opposite, None, events):
            rested = book_side.rest(order_id, order.owner, price_e4, amended.leaves, quantity)
            rested.fees = order.fees
            shard.orders[order_id] = rested
    else:
        amended = TermedOrder(*amended_as, order.fees)
        enter_book(shard, amended, terms, book_side, None, events)
    if shard.elections_due:
        trigger_elected(shard, events)


def _refuse_in_phase_of(shard: Shard, book_side: BookSide) -> RejectReason | None:
    return (
        refuse_amend_in_phase(shard.phases.of(book_side.security_id).phase)
        if book_side.book.is_special
        else None
    )


def _reject_amend(
    shard: Shard,
    command: AmendOrder,
    reason: RejectReason,
    book_side: BookSide | None,
    events: list[Event],
) -> None:
    if book_side is not None:
        security_id: str | None = book_side.security_id
        side: Side | None = book_side.side
    else:
        # Ended so long ago that only the door's word is left of where its hold is.
        security_id, side = command.security_id, command.side
    released = command.hold_added if side is not None else 0
    rejected = AmendRejected(
        command.order_id, command.client_id, reason.code, security_id, side, released
    )
    events.append(rejected)


def _breaks_post_only(shard: Shard, order: Order, terms: OrderTerms, price_e4: int) -> bool:
    """Whether the order must not trade, and would at this price.

    At its own price it meets nothing.
    """
    opposite = shard.sides[order.side_index ^ 1]
    is_bound = terms.is_post_only and opposite.book.is_trading
    return is_bound and price_e4 != order.price_e4 and opposite.meets(price_e4)
