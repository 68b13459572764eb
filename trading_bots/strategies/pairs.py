"""Pairs: two securities that move together; buys the cheap one and sells the dear one.

Source: Gatev, Goetzmann, Rouwenhorst, "Pairs trading: performance of a relative-value arbitrage
rule", Review of Financial Studies 19 (2006): open at two deviations, close when the prices cross.
The venue lends no shares, so the bot sells of those it has and buys back.
"""

from collections.abc import Iterator
from math import log, sqrt

from trading_bots.commands import Intent
from trading_bots.moving_average import MovingAverage
from trading_bots.strategy import Strategy, View
from trading_bots.taking import take


class Pairs(Strategy):
    """Trades the first two securities that it is given, `quantity` shares of the first at a time
    and as many dollars of the second.
    """

    interval_s = 5.0

    def __init__(
        self, window_s: float = 600.0, entry: float = 2.0, close: float = 0.0, quantity: int = 20
    ) -> None:
        self._mean = MovingAverage(window_s)
        self._variance = MovingAverage(window_s)
        self._entry, self._close = entry, close
        self._quantity = quantity
        self._open = 0
        """1 while the first was bought for the second, -1 the other way round."""

    def on_start(self, view: View) -> Iterator[Intent]:
        """ValueError unless there are two securities."""
        if len(view.securities) < 2:
            raise ValueError("pairs needs two securities")
        return iter(())

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Opens or closes the position."""
        first, second = view.securities[:2]
        prices = [float(view.fair_price(security)) for security in (first, second)]
        ratio = log(prices[0] / prices[1])
        away = ratio - self._mean.add("ratio", view.now_us, ratio)
        deviation = sqrt(self._variance.add("ratio", view.now_us, away**2))
        if deviation == 0:
            return
        score = away / deviation
        shares = (self._quantity, self._quantity * prices[0] / prices[1])
        if self._open == 0 and abs(score) > self._entry:
            self._open = -1 if score > 0 else 1
            yield from self._turn(view, (first, second), shares, self._open)
        elif self._open and score * self._open >= -self._close:
            yield from self._turn(view, (first, second), shares, -self._open)
            self._open = 0

    def _turn(
        self, view: View, pair: tuple[str, str], shares: tuple[float, float], way: int
    ) -> Iterator[Intent]:
        """Buy the first for the second (`way` 1), or the other way round."""
        sides = ("BUY", "SELL") if way > 0 else ("SELL", "BUY")
        for security, side, quantity in zip(pair, sides, shares, strict=True):
            yield from take(view, security, side, quantity)
