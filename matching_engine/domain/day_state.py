"""The trading day's part of an engine's state as plain records."""

import msgspec

from matching_engine.domain.book import Order
from matching_engine.domain.declared_dividends import DeclaredDividend
from matching_engine.domain.shard import Shard
from matching_engine.domain.volatility import VolatilityBand
from venue_protocol.orders import OrderTerms, Side
from venue_protocol.trading_day import PhaseState


class ClosingOrder(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One CLS order that waits for the closing auction."""

    order_id: int
    client_id: str
    side: Side
    price_e4: int
    quantity: int
    leaves: int
    terms: OrderTerms | None


class BookDay(msgspec.Struct, frozen=True, array_like=True):
    """What one book knows of the day: its open DAY, OPG and CLS orders, those of CLS that wait, and
    its indication.
    """

    security_id: str
    day_orders: list[tuple[int, str]]
    closing: list[ClosingOrder]
    indicated: tuple[int | None, int, int, Side | None] | None
    unpriced: list[int] = []
    """Ids of its open market orders. Snapshots of older versions have none."""


class DayState(msgspec.Struct, frozen=True, array_like=True):
    """All of it; equal states give equal records."""

    whole: PhaseState
    exceptions: list[tuple[str, PhaseState]]
    references: list[tuple[str, int]]
    bands: list[tuple[str, VolatilityBand]]
    books: list[BookDay]
    dividends: list[DeclaredDividend] = []
    """Declared and not paid yet. Snapshots of older versions have none."""


def day_state(engine: Shard) -> DayState:
    """The trading day as records. Books of which there is nothing to say are left out."""
    books = []
    for name, book in engine.books.items():
        day_orders = sorted(
            (order_id, tif)
            for order_id, tif in book.day_orders.items()
            if order_id in engine.orders
        )
        closing = [
            _closing_order(order, engine.sides[order.side_index].side)
            for _, order in sorted(book.closing.items())
        ]
        indicated = engine.indicated.get(name)
        if day_orders or closing or indicated:
            unpriced = sorted(order_id for order_id in book.unpriced if order_id in engine.orders)
            books.append(BookDay(name, day_orders, closing, indicated, unpriced))
    return DayState(
        engine.phases.whole,
        sorted(engine.phases.exceptions.items()),
        sorted(engine.references.items()),
        [(name, msgspec.structs.replace(band)) for name, band in sorted(engine.bands.items())],
        books,
        engine.dividends,
    )


def restore_phases(engine: Shard, state: DayState) -> None:
    """Before the books are opened: the phases, references and bands."""
    engine.phases.whole = state.whole
    engine.phases.exceptions = dict(state.exceptions)
    engine.references = dict(state.references)
    engine.dividends = list(state.dividends)
    engine.bands = dict(state.bands)
    engine.limited = {name for name, band in state.bands if band.limit_side is not None}
    engine.find_next_timer()


def _closing_order(order: Order, side: Side) -> ClosingOrder:
    return ClosingOrder(
        order.order_id,
        order.owner.client_id,
        side,
        order.price_e4,
        order.quantity,
        order.leaves,
        order.terms,
    )
