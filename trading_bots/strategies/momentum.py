"""Momentum: buys what has risen and sells what has fallen.

Source: Moskowitz, Ooi, Pedersen, "Time series momentum", Journal of Financial Economics 104 (2012),
here as the usual crossing of two moving averages.
"""

from collections.abc import Iterator

from trading_bots.commands import Intent
from trading_bots.moving_average import MovingAverage
from trading_bots.strategy import Strategy, View
from trading_bots.taking import take


class Momentum(Strategy):
    """Holds up to `quantity` shares while the fast average is above the slow one by
    `threshold_bps`; sells what it has bought while it is below by as much.
    """

    interval_s = 5.0

    def __init__(
        self,
        fast_s: float = 30.0,
        slow_s: float = 180.0,
        threshold_bps: float = 1.0,
        quantity: int = 20,
    ) -> None:
        self._fast = MovingAverage(fast_s)
        self._slow = MovingAverage(slow_s)
        self._threshold = threshold_bps / 10_000
        self._quantity = quantity

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One step towards what each security's trend asks for."""
        for security in view.securities:
            price = float(view.fair_price(security))
            fast = self._fast.add(security, view.now_us, price)
            trend = fast / self._slow.add(security, view.now_us, price) - 1
            held = view.holding(security).quantity
            if trend > self._threshold and held < self._quantity:
                yield from take(view, security, "BUY", self._quantity - held)
            elif trend < -self._threshold and held > 0:
                yield from take(view, security, "SELL", held)
