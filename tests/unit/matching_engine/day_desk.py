"""A desk on which the phases of a day are commanded and time passes."""

import re

from tests.unit.matching_engine.desk import Desk
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import (
    AdvanceTime,
    Command,
    CommandBatch,
    PlaceOrder,
    SetPhase,
    SetVolatilityBands,
)
from venue_protocol.events import (
    AuctionIndication,
    Event,
    LimitStateChanged,
    OrderReleased,
    PhaseChanged,
)
from venue_protocol.money import format_e4, parse_e4
from venue_protocol.orders import BUY, SELL, OrderTerms
from venue_protocol.trading_day import Phase

_ORDER = re.compile(r"([BS]) (\d+)@(market )?([\d.]+)( [A-Z]{3})? (\w+)")


def order(text: str, security_id: str = "AAPL", terms: OrderTerms | None = None) -> PlaceOrder:
    """The order in `"S 50@10.10 CLS bob"`; `"B 15@market 12 OPG bob"` is a market order with 12 as
    edge of the band.
    """
    found = _ORDER.fullmatch(text)
    assert found, text
    side, quantity, market, price, tif, client = found.groups()
    time_in_force = (tif or "").strip() or ("IOC" if market else "GTC")
    return PlaceOrder(
        client,
        security_id,
        BUY if side == "B" else SELL,
        "market" if market else "limit",
        time_in_force,  # type: ignore[arg-type]
        int(quantity),
        parse_e4(price),
        None,
        terms,
    )


class DayDesk(Desk):
    """A desk with a clock in seconds; each batch is one microsecond after the one before."""

    def engine_events(self, *commands: Command) -> list[Event]:
        """The events of these commands, in one batch."""
        first, time_us = self.engine.log_position + 1, self.engine.time_us + 1
        batch = CommandBatch(SCHEMA, 0, first, time_us, list(commands))
        self.log.append(batch)
        for sequence, command in batch.numbered():
            if type(command) is PlaceOrder:
                self._placed[sequence] = command
        return self.engine.apply(batch).events

    def place(self, *orders: str, security_id: str = "AAPL") -> list[Event]:
        """Place these orders, each in its own batch; all their events."""
        return [event for text in orders for event in self.run(order(text, security_id))]

    def phase(
        self,
        phase: Phase,
        security_id: str | None = None,
        reason: str | None = None,
        lasts_s: int | None = None,
        references: dict[str, str] | None = None,
    ) -> list[Event]:
        """Command a phase."""
        prices = [(name, parse_e4(price)) for name, price in (references or {}).items()]
        lasts_us = lasts_s * 1_000_000 if lasts_s is not None else None
        return self.run(SetPhase("admin", phase, security_id, reason, lasts_us, prices))

    def bands(self, bps: int | None, reference: str, security_id: str = "AAPL") -> list[Event]:
        """Set the volatility bands: 15 s limit state, 300 s pause, 60 s auction."""
        return self.run(SetVolatilityBands("admin", security_id, bps, parse_e4(reference)))

    def wait(self, seconds: int) -> list[Event]:
        """Let time pass."""
        self.engine.time_us += seconds * 1_000_000
        return self.run(AdvanceTime())


def told(events: list[Event]) -> list[str]:
    """What the day did: phases, indications, releases and limit states in short words."""
    said = []
    for event in events:
        if type(event) is PhaseChanged:
            said.append(f"{event.security_id or 'all'} {event.phase}")
        elif type(event) is AuctionIndication:
            price = "-" if event.price_e4 is None else format_e4(event.price_e4)
            said.append(f"{event.paired}@{price} {event.side or 'even'} {event.imbalance}")
        elif type(event) is OrderReleased:
            said.append(f"released #{event.order_id}")
        elif type(event) is LimitStateChanged:
            said.append(f"limit state {event.side or 'over'}")
    return said
