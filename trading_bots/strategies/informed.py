"""Informed: sees the value of a security with noise, and trades when the price is off by more.

Source: the informed trader of Glosten, Milgrom, "Bid, ask and transaction prices in a specialist
market with heterogeneously informed traders", Journal of Financial Economics 14 (1985).
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from trading_bots.commands import Intent
from trading_bots.population.surroundings import Surroundings
from trading_bots.strategy import Strategy, View
from trading_bots.taking import take

Value = Callable[[str, int], float | Decimal]
"""The value in dollars of a security at a time, microseconds since 1970."""


class Informed(Strategy):
    """Takes the best price when it is `margin_bps` better than what the bot thinks of the value.

    Each look sees the value with an error of `noise_bps`. The value is what `value` says; with
    `seed` and `origin_us` that of the default population of this seed, `volatility` its security's;
    without either the reference price.
    """

    interval_s = 1.0

    def __init__(
        self,
        value: Value | None = None,
        noise_bps: float = 2.0,
        margin_bps: float = 1.0,
        quantity: int = 20,
        seed: int | None = None,
        origin_us: int = 0,
        volatility: float = 1.0,
    ) -> None:
        self._value = value
        self._population = (
            None
            if seed is None
            else Surroundings(seed=seed, origin_us=origin_us, volatility=volatility)
        )
        self._noise, self._margin = noise_bps / 10_000, Decimal(margin_bps) / 10_000
        self._quantity = quantity

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """At most one order in each security: immediate or canceled, at the best price."""
        for security in view.securities:
            seen = self._look(view, security)
            book = view.book(security)
            if book.asks and book.asks[0].price < seen * (1 - self._margin):
                yield from take(view, security, "BUY", self._quantity)
            elif book.bids and book.bids[0].price > seen * (1 + self._margin):
                yield from take(view, security, "SELL", self._quantity)

    def _look(self, view: View, security: str) -> Decimal:
        """The value as the bot sees it now."""
        value: float | Decimal = view.rules(security).reference_price
        if self._value is not None:
            value = self._value(security, view.now_us)
        elif self._population is not None:
            value = self._population.value(view, security)
        return Decimal(value) * Decimal(1 + view.random.gauss(0, self._noise))
