"""Limit states: an order was stopped by a volatility band, and what comes of it.

Example: a band of 5 % around 100.00, and SELL 10 at 106.00. BUY 10 at 107.00 may trade up to
105.00, where nobody offers: it is canceled, and the limit state begins. An offer at 105.00 or below
ends it; after 15 seconds without one, trading pauses.
"""

from matching_engine.domain.book import BookSide, Order
from matching_engine.domain.reports import report_news
from matching_engine.domain.shard import Shard
from matching_engine.domain.volatility import VolatilityBand
from venue_protocol.commands import SetVolatilityBands
from venue_protocol.events import Event, LimitStateChanged
from venue_protocol.orders import BUY, Side


def bound_e4(shard: Shard, order: Order, book_side: BookSide) -> int:
    """The worst price at which this order may trade now."""
    band = shard.bands.get(book_side.security_id) if book_side.book.is_special else None
    return order.price_e4 if band is None else band.bounded_e4(book_side.side, order.price_e4)


def set_bands(shard: Shard, command: SetVolatilityBands, events: list[Event]) -> None:
    """Give a security a volatility band, or take it away."""
    name = command.security_id
    shard.limited.discard(name)
    band: VolatilityBand | None = None
    if command.band_bps is None:
        shard.bands.pop(name, None)
    else:
        known = shard.books.get(name)
        last_e4 = known.last_e4 if known is not None else None
        shard.bands[name] = band = VolatilityBand(
            command.band_bps,
            last_e4 or command.reference_price_e4,
            command.limit_state_us,
            command.pause_us,
            command.auction_us,
        )
    if name in shard.books:
        shard.note_phase(shard.books[name])
    shard.find_next_timer()
    report_news(shard, _limit_state(name, band), events)


def begin_limit_state(
    shard: Shard, name: str, band: VolatilityBand, side: Side, events: list[Event]
) -> None:
    """An order of this side was stopped by the band: the clock of the limit state starts."""
    if band.limit_side is not None:
        return
    band.limit_side, band.limit_until_us = side, shard.time_us + band.limit_state_us
    shard.limited.add(name)
    shard.find_next_timer()
    report_news(shard, _limit_state(name, band), events)


def end_limit_state(shard: Shard, name: str, events: list[Event]) -> None:
    """End the limit state of a security, if it is in one."""
    if name in shard.limited:
        shard.limited.discard(name)
        shard.bands[name].limit_side = None
        report_news(shard, _limit_state(name, shard.bands[name]), events)


def leave_limit_states(shard: Shard, events: list[Event]) -> None:
    """At the end of a batch: over where the other side is within the band again."""
    for name in sorted(shard.limited):
        band, book = shard.bands[name], shard.books[name]
        if not band.holds_back((book.asks if band.limit_side == BUY else book.bids).best):
            end_limit_state(shard, name, events)
    shard.find_next_timer()


def _limit_state(name: str, band: VolatilityBand | None) -> LimitStateChanged:
    if band is None:
        return LimitStateChanged(name, None, None, None)
    return LimitStateChanged(name, band.limit_side, band.low_e4, band.high_e4)
