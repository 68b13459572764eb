"""Zero intelligence: orders arrive and leave at random, without any view of the price.

Source: Farmer, Patelli, Zovko, "The predictive power of zero intelligence in financial markets",
PNAS 102 (2005), with the power law of placement of Bouchaud, Mezard, Potters, "Statistical
properties of stock order books", Quantitative Finance 2 (2002).
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from trading_bots.commands import Intent, Place, WakeUp
from trading_bots.sizing import within_means
from trading_bots.strategy import Strategy, View, cancel, either_side, on_tick, working


class ZeroIntelligence(Strategy):
    """Poisson arrivals of limit orders, market orders and cancels, in each security.

    `limit_rate` and `market_rate` are orders a second; each resting order dies at `cancel_rate` a
    second. A limit order stands d ticks from the opposite best, P(d) ~ (d + offset) ** -exponent
    with d up to `reach` ticks. Sizes are geometric with a mean of `shares`.
    """

    def __init__(
        self,
        limit_rate: float = 0.5,
        market_rate: float = 0.05,
        cancel_rate: float = 0.03,
        exponent: float = 1.83,
        offset: float = 50.0,
        reach: int = 500,
        shares: float = 10.0,
    ) -> None:
        self._rates = (limit_rate, market_rate, cancel_rate)
        self._shape = (exponent, offset, reach)
        self._shares = shares

    def on_start(self, view: View) -> Iterator[Intent]:
        """The first arrival in each security."""
        for security in view.securities:
            yield self._next(view, security)

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One arrival in the security called `name`, and the time of the next."""
        limits, markets, cancels = self._rates
        own = working(view, name)
        drawn = view.random.uniform(0, limits + markets + cancels * len(own))
        if drawn < limits:
            yield from self._limit(view, name)
        elif drawn < limits + markets:
            yield from self._market(view, name)
        elif own:
            yield cancel(view.random.choice(own))
        yield self._next(view, name)

    def _next(self, view: View, security: str) -> WakeUp:
        limits, markets, cancels = self._rates
        rate = limits + markets + cancels * len(working(view, security))
        return WakeUp(view.random.expovariate(rate), security)

    def _limit(self, view: View, security: str) -> Iterator[Intent]:
        side, rules, top = either_side(view.random), view.rules(security), view.price(security)
        opposite = top.ask if side == "BUY" else top.bid
        away = rules.tick * _distance(view.random, *self._shape)
        start = opposite or view.fair_price(security)
        price = on_tick(rules, start - away if side == "BUY" else start + away)
        yield from self._order(view, security, side, price, price)

    def _market(self, view: View, security: str) -> Iterator[Intent]:
        side = either_side(view.random)
        worst = on_tick(view.rules(security), view.fair_price(security) * Decimal("1.05"))
        yield from self._order(view, security, side, worst, None)

    def _order(
        self, view: View, security: str, side: str, paid: Decimal, limit: Decimal | None
    ) -> Iterator[Intent]:
        lot = view.rules(security).lot
        wanted = (1 + int(view.random.expovariate(1 / self._shares) / lot)) * lot
        quantity = within_means(view, security, side, paid, wanted)
        if quantity:
            yield Place(security, side, quantity, limit)


def _distance(random: Random, exponent: float, offset: float, reach: int) -> int:
    """1 to `reach` ticks, with the power law: the inverse of its distribution function."""
    low, high = (1 + offset) ** (1 - exponent), (reach + 1 + offset) ** (1 - exponent)
    drawn = (low + random.random() * (high - low)) ** (1 / (1 - exponent)) - offset
    return min(max(int(drawn), 1), reach)
