"""The engine's events in the report form of the matching_consensus data, and its top of book in
theirs.
"""

from collections.abc import Iterable

from matching_engine.domain.book import BookSide
from venue_protocol.events import (
    AmendRejected,
    CancelRejected,
    Event,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    Trade,
)
from venue_protocol.orders import BUY
from venue_trials.bench.order_flow import SECURITY, TICK_E4, OrderFlow

Report = tuple[int, ...]
"""Kind, then the fields after `seq`: ack 0, trade 1, cancel ack 2, modify ack 3, cancel reject 4,
modify reject 5.
"""


def reports(flow: OrderFlow, outside_id: int, events: Iterable[Event]) -> list[Report]:
    """Reports of one message, sorted by kind; trades stay in match order."""
    return sorted(
        (_report(flow, outside_id, event) for event in events), key=lambda report: report[0]
    )


def _report(flow: OrderFlow, outside_id: int, event: Event) -> Report:
    name = flow.outside_ids
    match event:
        case OrderAccepted():
            return (
                0,
                int(event.side != BUY),
                name[event.order_id],
                event.price_e4 // TICK_E4,
                event.quantity,
            )
        case Trade():
            pair = (event.sell_order_id, event.buy_order_id)
            maker, taker = pair if event.aggressor == BUY else pair[::-1]
            return 1, event.price_e4 // TICK_E4, event.quantity, name[maker], name[taker]
        case OrderCanceled():
            return 2, int(event.side != BUY), name[event.order_id], event.price_e4 // TICK_E4
        case OrderAmended():
            return (
                3,
                int(event.side != BUY),
                name[event.order_id],
                event.price_e4 // TICK_E4,
                event.leaves,
            )
        case CancelRejected():
            return 4, outside_id
        case AmendRejected():
            return 5, outside_id
    raise AssertionError(event)


def top_of_book(flow: OrderFlow) -> tuple[int | None, int, int | None, int]:
    """Best bid, its shares, best ask, its shares; (None, 0) for an empty side. Prices in ticks."""
    book = flow.engine.books.get(SECURITY)
    if book is None:
        return None, 0, None, 0
    return *_best(book.bids), *_best(book.asks)


def _best(book_side: BookSide) -> tuple[int | None, int]:
    if book_side.best == book_side.none:
        return None, 0
    return book_side.best // TICK_E4, book_side.levels[book_side.best].quantity
