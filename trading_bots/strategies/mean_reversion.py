"""Mean reversion: buys what has fallen far below its average, and sells it back at the average.

Source: Lehmann, "Fads, martingales, and market efficiency", Quarterly Journal of Economics 105
(1990); the bands are Bollinger's.
"""

from collections.abc import Iterator
from math import sqrt

from trading_bots.commands import Intent
from trading_bots.moving_average import MovingAverage
from trading_bots.strategy import Strategy, View
from trading_bots.taking import take


class MeanReversion(Strategy):
    """Buys up to `quantity` shares at `entry` deviations below the average of `window_s`, and sells
    what it holds above the average.
    """

    interval_s = 5.0

    def __init__(self, window_s: float = 300.0, entry: float = 1.5, quantity: int = 20) -> None:
        self._mean = MovingAverage(window_s)
        self._variance = MovingAverage(window_s)
        self._entry = entry
        self._quantity = quantity

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One step in each security."""
        for security in view.securities:
            price = float(view.fair_price(security))
            away = price - self._mean.add(security, view.now_us, price)
            deviation = sqrt(self._variance.add(security, view.now_us, away**2))
            held = view.holding(security).quantity
            if deviation > 0 and away < -self._entry * deviation and held < self._quantity:
                yield from take(view, security, "BUY", self._quantity - held)
            elif away > 0 and held > 0:
                yield from take(view, security, "SELL", held)
