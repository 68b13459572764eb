"""Random walk: limit orders along a price that wanders."""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent, Place
from trading_bots.strategy import Strategy, View, cancel_oldest, either_side, on_tick

_STEP = 0.01
"""Largest step of the walk, as a part of the reference price: uniform(-1, 1) at 100."""


class RandomWalk(Strategy):
    """1 to 10 lots, either side, at a price that walks by up to 1 % a decision.

    The walk of each security starts at its reference price.
    """

    interval_s = 0.5

    def __init__(self, most_working: int = 6) -> None:
        self._most_working = most_working
        self._prices: dict[str, Decimal] = {}

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One order at the next price of the walk; the oldest ones leave."""
        for security in view.securities:
            yield from cancel_oldest(view, security, self._most_working)
            rules, random = view.rules(security), view.random
            step = Decimal(random.uniform(-_STEP, _STEP)) * rules.reference_price
            price = on_tick(rules, self._prices.get(security, rules.reference_price) + step)
            self._prices[security] = price
            yield Place(security, either_side(random), random.randint(1, 10) * rules.lot, price)
