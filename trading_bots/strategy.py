"""What a strategy is given, and what it returns.

A strategy reads no clock, sends nothing, and draws only from the dice it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Protocol

from trading_bots.commands import Cancel, Command
from trading_bots.records import Price, SecurityRules


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An own limit order that, as far as the bot knows, is open."""

    client_order_id: str
    side: str
    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class View:
    """All that a strategy knows: its security's rules and price, its open orders (oldest first)."""

    rules: SecurityRules
    price: Price
    working: tuple[WorkingOrder, ...] = ()

    def fair_price(self) -> Decimal:
        """The middle of bid and ask; else the last price; else the reference price."""
        if self.price.bid is not None and self.price.ask is not None:
            return (self.price.bid + self.price.ask) / 2
        return self.price.last or self.rules.reference_price


class Strategy(Protocol):
    """One way to trade one security. May remember things between decisions."""

    def decide(self, view: View, random: Random) -> Sequence[Command]:
        """The commands to send now, in order; may be empty. The runner names the orders."""
        ...


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


def cancel_oldest(view: View, most_working: int) -> list[Cancel]:
    """Cancels of the oldest own orders, so that at most `most_working` are left."""
    surplus = max(len(view.working) - most_working, 0)
    return [Cancel(client_order_id=order.client_order_id) for order in view.working[:surplus]]
