"""What a strategy is told, what it may see, and what it returns.

A strategy is pure: events in, intents out. It reads no clock, sends nothing, and draws only from
`view.random`. So the same class runs live and in a simulated market.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Protocol

from trading_bots.commands import Cancel, Intent
from trading_bots.records import (
    Balance,
    Book,
    Fill,
    Holding,
    OrderReport,
    Price,
    PublicTrade,
    SecurityRules,
    SettlementReport,
    WorkingOrder,
)


class View(Protocol):
    """All that the owner of a bot may know, as it has reached the bot so far.

    Prices and cash are Decimal dollars, quantities whole shares. KeyError for a security that the
    bot did not ask for.
    """

    @property
    def now_us(self) -> int:
        """Time of the venue, microseconds since 1970, UTC: the live clock or the simulated one."""
        ...

    @property
    def random(self) -> Random:
        """The bot's own dice."""
        ...

    @property
    def client_id(self) -> str:
        """The account that the bot trades with."""
        ...

    @property
    def securities(self) -> tuple[str, ...]:
        """The securities that it asked for."""
        ...

    @property
    def cash(self) -> Balance:
        """Own cash: balance, held by open orders, available."""
        ...

    def rules(self, security: str) -> SecurityRules:
        """Tick, lot, band and reference price."""
        ...

    def book(self, security: str) -> Book:
        """The newest depth, ten levels or more a side, best first."""
        ...

    def price(self, security: str) -> Price:
        """Last price, best bid and best ask; None where there is none."""
        ...

    def fair_price(self, security: str) -> Decimal:
        """The middle of bid and ask; else the last price; else the reference price."""
        ...

    def trades(self, security: str) -> Sequence[PublicTrade]:
        """The newest hundred trades or so, oldest first."""
        ...

    def holding(self, security: str) -> Holding:
        """Own shares: quantity, held by open orders, available."""
        ...

    def orders(self, security: str | None = None) -> tuple[WorkingOrder, ...]:
        """Own open orders, of one security or of all, oldest first."""
        ...


class Strategy:
    """One way to trade. May remember things between events.

    Each method returns the intents to send now, in order; override what you need. Events go to
    those methods only that a class overrides.
    """

    interval_s: float | None = None
    """`on_timer` is called so often, first after a random part of it; None: only by `WakeUp`."""

    def on_start(self, view: View) -> Iterable[Intent]:
        """The first event: rules, prices, cash, shares and open orders are known."""
        return ()

    def on_timer(self, view: View, name: str) -> Iterable[Intent]:
        """`interval_s` has passed (`name` is empty), or the time of a `WakeUp` with that name."""
        return ()

    def on_book(self, view: View, book: Book) -> Iterable[Intent]:
        """The depth of a security has changed."""
        return ()

    def on_trade(self, view: View, trade: PublicTrade) -> Iterable[Intent]:
        """Somebody traded."""
        return ()

    def on_report(self, view: View, report: OrderReport) -> Iterable[Intent]:
        """Something happened to an own order; `report.kind` says what."""
        return ()

    def on_fill(self, view: View, fill: Fill) -> Iterable[Intent]:
        """An own order traded."""
        return ()

    def on_settlement(self, view: View, report: SettlementReport) -> Iterable[Intent]:
        """Own cash or shares have changed."""
        return ()


def on_tick(rules: SecurityRules, price: float | Decimal) -> Decimal:
    """The nearest price that the venue accepts: on the tick, inside the band, above zero."""
    ticks = (Decimal(price) / rules.tick).to_integral_value(ROUND_HALF_EVEN)
    nearest = max(ticks, Decimal(1)) * rules.tick
    if rules.band_low is not None:
        nearest = max(nearest, rules.band_low)
    if rules.band_high is not None:
        nearest = min(nearest, rules.band_high)
    return nearest


def either_side(random: Random) -> str:
    """BUY or SELL, with equal chances."""
    return random.choice(("BUY", "SELL"))


def cancel(order: WorkingOrder) -> Cancel:
    """A cancel of the order, by its own name, or by the venue's where it has none."""
    if order.client_order_id:
        return Cancel(client_order_id=order.client_order_id)
    return Cancel(order_id=order.order_id)


def working(view: View, security: str) -> list[WorkingOrder]:
    """Own open orders of a security for which no cancel is under way, oldest first."""
    return [order for order in view.orders(security) if not order.is_canceling]


def cancel_oldest(view: View, security: str, most_working: int) -> list[Cancel]:
    """Cancels of the oldest own orders, so that at most `most_working` are left."""
    orders = working(view, security)
    surplus = max(len(orders) - most_working, 0)
    return [cancel(order) for order in orders[:surplus]]
