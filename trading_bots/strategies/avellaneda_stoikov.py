"""Avellaneda-Stoikov: a market maker that leans its quotes against what it holds.

Source: Avellaneda, Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8
(2008): reservation price r = s - q * gamma * sigma^2 * (T - t) and spread
gamma * sigma^2 * (T - t) + (2 / gamma) * ln(1 + gamma / k). Here T - t is a constant horizon, so
that the maker quotes alike for hours; the price s is in basis points of itself, and q counts
quotes' worth of shares beside what the bot held at the start.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import log, sqrt

from trading_bots.commands import Intent
from trading_bots.quoting import Quote, move_quotes
from trading_bots.strategy import Strategy, View

_MEMORY = 0.02
"""Weight of the newest squared change in the estimate of sigma^2."""


class AvellanedaStoikov(Strategy):
    """Quotes `quantity` shares a side around its reservation price.

    `gamma` is the aversion to risk, `k` how fast fills get rarer with each basis point of distance,
    `sigma_bps` the deviation of the price in one second: without it, it is estimated.
    """

    interval_s = 1.0

    def __init__(
        self,
        gamma: float = 0.1,
        k: float = 0.5,
        horizon_s: float = 60.0,
        quantity: int = 10,
        sigma_bps: float | None = None,
    ) -> None:
        self._gamma, self._k, self._horizon_s = gamma, k, horizon_s
        self._quantity = quantity
        self._sigma_bps = sigma_bps
        self._home: dict[str, int] = {}
        self._seen: dict[str, tuple[int, Decimal]] = {}
        self._variance: dict[str, float] = {}

    def on_start(self, view: View) -> Iterator[Intent]:
        """What it holds now is what it wants to hold."""
        self._home = {name: view.holding(name).quantity for name in view.securities}
        return iter(())

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Both quotes of each security move."""
        for security in view.securities:
            fair = view.fair_price(security)
            held = view.holding(security).quantity - self._home.get(security, 0)
            lean, half = self._quotes_bps(held / self._quantity, self._risk(view, security, fair))
            bid, ask = (fair * (1 + Decimal(lean + way * half) / 10_000) for way in (-1, 1))
            yield from move_quotes(
                view, security, Quote(bid, self._quantity), Quote(ask, self._quantity)
            )

    def _quotes_bps(self, inventory: float, variance: float) -> tuple[float, float]:
        """How far the reservation price leans, and half the spread."""
        risk = self._gamma * variance * self._horizon_s
        return -inventory * risk, risk / 2 + log(1 + self._gamma / self._k) / self._gamma

    def _risk(self, view: View, security: str, fair: Decimal) -> float:
        """Variance of the price in one second, squared basis points: given, or estimated."""
        before_us, before = self._seen.get(security, (view.now_us, fair))
        self._seen[security] = (view.now_us, fair)
        if self._sigma_bps is not None:
            return self._sigma_bps**2
        known = self._variance.get(security, 1.0)
        passed_s = (view.now_us - before_us) / 1_000_000
        if passed_s > 0:
            change_bps = float(fair / before - 1) * 10_000 / sqrt(passed_s)
            known += _MEMORY * (change_bps**2 - known)
            self._variance[security] = known
        return known
