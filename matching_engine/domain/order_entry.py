"""What becomes of a new order, and of a stop that is elected.

A plain order (no terms, a book that trades without a volatility band) takes the short way in
`place`: it is nearly all of the work. Everything else goes through `_admit` and `enter_book`.
"""

import msgspec

from matching_engine.domain.book import Book, BookSide, Order, TermedOrder, hide_reserve
from matching_engine.domain.limit_states import bound_e4
from matching_engine.domain.matching import can_fill, match
from matching_engine.domain.reports import discard, discard_expired
from matching_engine.domain.shard import Shard
from matching_engine.domain.stops import StopOrder
from venue_protocol.commands import PlaceOrder
from venue_protocol.events import Event, OrderAccepted, OrderTriggered
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.orders import (
    BUY,
    CLS,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    OF_THE_DAY,
    OPG,
    STOP,
    CancelReason,
    OrderTerms,
    OrderType,
    TimeInForce,
)
from venue_protocol.refusals import RejectReason
from venue_protocol.trading_day import CLOSING_AUCTION, refuse_in_phase

_CANCELED_BECAUSE: dict[RejectReason, CancelReason] = {
    RejectReason.SESSION_CLOSED: "session_closed",
    RejectReason.SESSION_HALTED: "session_halted",
    RejectReason.NOT_IN_AUCTION: "not_in_auction",
    RejectReason.OPENING_ONLY_TOO_LATE: "opening_only_too_late",
}
"""Why an order is canceled that came while its phase was on its way to the gateway."""


def place(shard: Shard, order_id: int, command: PlaceOrder, events: list[Event]) -> None:
    """Take in a new order: it trades, rests, waits or is canceled."""
    if command.terms is not None:
        _place_with_terms(shard, order_id, command, command.terms, events)
        return
    security_id, client_id = command.security_id, command.client_id
    side, order_type, time_in_force = command.side, command.order_type, command.time_in_force
    quantity, price_e4, fees = command.quantity, command.price_e4, command.fees
    if quantity <= 0:
        raise BrokenInvariant(f"order {order_id} is logged with quantity {quantity}")
    book = shard.books.get(security_id) or shard.open_book(security_id)
    owner = shard.clients.get(client_id) or shard.client_of(client_id)
    events.append(
        OrderAccepted(
            order_id,
            client_id,
            security_id,
            side,
            order_type,
            time_in_force,
            quantity,
            price_e4,
            command.client_order_id,
            None,
            False,
            fees,
        )
    )
    if side == BUY:
        book_side, opposite = book.bids, book.asks
        is_marketable = price_e4 >= opposite.best
    else:
        book_side, opposite = book.asks, book.bids
        is_marketable = price_e4 <= opposite.best
    remainder = (
        None
        if time_in_force == GTC and order_type == LIMIT
        else _remainder(order_type, time_in_force)
    )
    if book.is_special or (time_in_force != GTC and time_in_force in OF_THE_DAY):
        order = Order(order_id, owner, book_side.index, price_e4, quantity, quantity, None, fees)
        _place_in_phase(shard, order, book_side, command, remainder, events)
        return
    leaves = quantity
    if is_marketable or remainder is not None:
        order = Order(order_id, owner, book_side.index, price_e4, quantity, quantity, None, fees)
        if not match(shard, order, book_side, opposite, remainder, events):
            if shard.elections_due:
                trigger_elected(shard, events)
            return
        leaves = order.leaves
    order = shard.orders[order_id] = book_side.rest(order_id, owner, price_e4, leaves, quantity)
    if fees is not None:
        order.fees = fees
    order_ids = owner.order_ids
    order_ids.append(order_id)
    if len(order_ids) > owner.limit:
        shard.forget_ended_orders(owner)
    if is_marketable and shard.elections_due:
        trigger_elected(shard, events)


def _place_with_terms(
    shard: Shard, order_id: int, command: PlaceOrder, terms: OrderTerms, events: list[Event]
) -> None:
    """Place an order that is more than limit, market, GTC, IOC or FOK."""
    quantity, order_type = command.quantity, command.order_type
    if quantity <= 0:
        raise BrokenInvariant(f"order {order_id} is logged with quantity {quantity}")
    book = shard.books.get(command.security_id) or shard.open_book(command.security_id)
    owner = shard.client_of(command.client_id)
    events.append(
        OrderAccepted(
            order_id,
            command.client_id,
            command.security_id,
            command.side,
            order_type,
            command.time_in_force,
            quantity,
            command.price_e4,
            command.client_order_id,
            terms,
            False,
            command.fees,
        )
    )
    book_side = book.side_of(command.side)
    order = TermedOrder(
        order_id,
        owner,
        book_side.index,
        command.price_e4,
        quantity,
        quantity,
        terms,
        command.fees,
    )
    remainder = _remainder(order_type, command.time_in_force)
    if book.is_special or command.time_in_force in OF_THE_DAY:
        _place_in_phase(shard, order, book_side, command, remainder, events)
        return
    if _admit(shard, order, terms, book_side, order_type, remainder, events):
        shard.add_open_order(order)
    trigger_elected(shard, events)


def _place_in_phase(
    shard: Shard,
    order: Order,
    book_side: BookSide,
    command: PlaceOrder,
    remainder: CancelReason | None,
    events: list[Event],
) -> None:
    """Take in an order that is bound to the trading day, or comes while plain entry does not
    do.
    """
    book, time_in_force = book_side.book, command.time_in_force
    refused = refuse_in_phase(
        shard.phases.of(book.security_id).phase, command.order_type, time_in_force
    )
    if refused is not None:
        discard(shard, order, book_side, _CANCELED_BECAUSE[refused], events)
        return
    if command.reference_price_e4 is not None:
        _note_reference(shard, book.security_id, command.reference_price_e4)
    if time_in_force in (OPG, CLS):
        remainder = None
        if command.order_type == MARKET:
            book.unpriced.add(order.order_id)
    if time_in_force == CLS and shard.phases.of(book.security_id).phase != CLOSING_AUCTION:
        events[-1] = msgspec.structs.replace(events[-1], is_waiting=True)
        book.closing[order.order_id] = order
        shard.orders[order.order_id] = order
        is_open = True
    elif order.terms is not None:
        is_open = _admit(
            shard, order, order.terms, book_side, command.order_type, remainder, events
        )
    else:
        is_open = enter_book(shard, order, None, book_side, remainder, events)
    if is_open:
        shard.add_open_order(order)
        if time_in_force in OF_THE_DAY:
            _bind_to_day(shard, book, order.order_id, time_in_force)
    if shard.elections_due:
        trigger_elected(shard, events)


def _note_reference(shard: Shard, security_id: str, reference_e4: int) -> None:
    """The listed reference price; of a security listed since the last phase began it is new."""
    if shard.references.get(security_id) != reference_e4:
        shard.references[security_id] = reference_e4
        shard.collected.pop(security_id, None)


def _bind_to_day(shard: Shard, book: Book, order_id: int, time_in_force: str) -> None:
    book.day_orders[order_id] = time_in_force
    # The new order is among them by now, or the sweep would take it for one that ended.
    if len(book.day_orders) > book.day_orders_limit:
        book.day_orders = {
            name: tif for name, tif in book.day_orders.items() if name in shard.orders
        }
        book.unpriced &= book.day_orders.keys()
        book.day_orders_limit = 2 * len(book.day_orders) + 64


def _admit(
    shard: Shard,
    order: Order,
    terms: OrderTerms,
    book_side: BookSide,
    order_type: OrderType,
    remainder: CancelReason | None,
    events: list[Event],
) -> bool:
    """Let an order wait as a stop, or enter as its terms allow. False if it ended."""
    if terms.expires_us is not None and terms.expires_us <= shard.time_us:
        discard_expired(shard, order, book_side, events)
        return False
    if terms.stop_price_e4 is not None:
        _add_stop(
            shard,
            StopOrder(order, book_side.side, terms.stop_price_e4, order_type == STOP),
            book_side.book,
        )
    elif not enter_book(shard, order, terms, book_side, remainder, events):
        return False
    if terms.expires_us is not None:
        shard.add_expiry(terms.expires_us, order.order_id)
    return True


def _add_stop(shard: Shard, stop: StopOrder[Order], book: Book) -> None:
    """Let a stop wait, unless the last trade elects it already: then its turn comes at once."""
    shard.orders[stop.order.order_id] = stop.order
    book.stops.add(stop)
    if book.is_trading and book.last_e4 is not None and stop.is_elected_by(book.last_e4):
        book.stops.elect(book.last_e4, book.last_e4)
        shard.elections_due.append(book)


def enter_book(
    shard: Shard,
    order: Order,
    terms: OrderTerms | None,
    book_side: BookSide,
    remainder: CancelReason | None,
    events: list[Event],
) -> bool:
    """Match an order as its terms allow, and let the rest of it rest. False if it ended."""
    opposite = shard.sides[book_side.index ^ 1]
    if (
        terms is not None
        and terms.is_post_only
        and book_side.book.is_trading
        and opposite.meets(order.price_e4)
    ):
        discard(shard, order, book_side, "post_only_would_trade", events)
        return False
    least = terms.min_quantity if terms is not None else None
    if least is not None and not can_fill(
        order, opposite, least, bound_e4(shard, order, book_side)
    ):
        discard(shard, order, book_side, "min_quantity_unmet", events)
        return False
    if not match(shard, order, book_side, opposite, remainder, events):
        return False
    book_side.enter(hide_reserve(order))
    shard.orders[order.order_id] = order
    return True


def trigger_elected(shard: Shard, events: list[Event]) -> None:
    """Give each elected stop its turn; their trades may elect more."""
    while shard.elections_due:
        book = shard.elections_due.pop()
        while (
            book.last_e4 is not None and (stop := book.stops.next_elected(book.last_e4)) is not None
        ):
            _trigger(shard, stop, book, events)


def _trigger(shard: Shard, stop: StopOrder[Order], book: Book, events: list[Event]) -> None:
    order, book_side = stop.order, book.side_of(stop.side)
    assert book.last_e4 is not None
    events.append(
        OrderTriggered(
            order.order_id,
            order.owner.client_id,
            book.security_id,
            stop.side,
            order.price_e4,
            order.leaves,
            book.last_e4,
        )
    )
    del shard.orders[order.order_id]
    enter_book(
        shard,
        order,
        order.terms,
        book_side,
        "market_remainder" if stop.becomes_market else None,
        events,
    )


def _remainder(order_type: OrderType, time_in_force: TimeInForce) -> CancelReason | None:
    """Why the rest of an order that may not rest is canceled; None for one that may."""
    if time_in_force == FOK:
        return "fok_unfilled"
    if order_type == MARKET:
        return "market_remainder"
    return "ioc_remainder" if time_in_force == IOC else None
