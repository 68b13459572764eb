"""Uniform: limit orders at evenly spread prices around the market."""

from random import Random

from trading_bots.commands import Cancel, Place
from trading_bots.strategy import View, cancel_oldest, either_side, on_tick

_REACH = 0.02
"""Farthest price from the fair one, as a part of it."""


class Uniform:
    """1 to 10 lots, either side, at any price within 2 % of the fair one."""

    def __init__(self, most_working: int = 6) -> None:
        self._most_working = most_working

    def decide(self, view: View, random: Random) -> list[Place | Cancel]:
        """One order near the market; the oldest ones leave."""
        fair = float(view.fair_price())
        price = on_tick(view.rules, fair * random.uniform(1 - _REACH, 1 + _REACH))
        order = Place(
            view.rules.security, either_side(random), random.randint(1, 10) * view.rules.lot, price
        )
        return [*cancel_oldest(view, self._most_working), order]
