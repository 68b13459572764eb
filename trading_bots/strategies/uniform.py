"""Uniform: limit orders at evenly spread prices around the market."""

from collections.abc import Iterator

from trading_bots.commands import Intent, Place
from trading_bots.strategy import Strategy, View, cancel_oldest, either_side, on_tick

_REACH = 0.02
"""Farthest price from the fair one, as a part of it."""


class Uniform(Strategy):
    """1 to 10 lots, either side, at any price within 2 % of the fair one."""

    interval_s = 0.5

    def __init__(self, most_working: int = 6) -> None:
        self._most_working = most_working

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One order near the market of each security; the oldest ones leave."""
        for security in view.securities:
            yield from cancel_oldest(view, security, self._most_working)
            rules, random = view.rules(security), view.random
            fair = float(view.fair_price(security))
            price = on_tick(rules, fair * random.uniform(1 - _REACH, 1 + _REACH))
            yield Place(security, either_side(random), random.randint(1, 10) * rules.lot, price)
