"""Gaussian: limit orders at normally distributed prices."""

from collections.abc import Iterator

from trading_bots.commands import Intent, Place
from trading_bots.strategy import Strategy, View, cancel_oldest, either_side, on_tick

_DEVIATION = 0.10
"""Standard deviation of the price, as a part of the reference price: normal(100, 10)."""
_LOTS = 4


class Gaussian(Strategy):
    """4 lots, either side, at a normally distributed price, moved to the band's edge if outside."""

    interval_s = 0.5

    def __init__(self, most_working: int = 6) -> None:
        self._most_working = most_working

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One order around the reference price of each security; the oldest ones leave."""
        for security in view.securities:
            yield from cancel_oldest(view, security, self._most_working)
            rules, random = view.rules(security), view.random
            reference = float(rules.reference_price)
            price = on_tick(rules, random.gauss(reference, _DEVIATION * reference))
            yield Place(security, either_side(random), _LOTS * rules.lot, price)
