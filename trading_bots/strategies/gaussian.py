"""Gaussian: limit orders at normally distributed prices."""

from random import Random

from trading_bots.commands import Cancel, Place
from trading_bots.strategy import View, cancel_oldest, either_side, on_tick

_DEVIATION = 0.10
"""Standard deviation of the price, as a part of the reference price: normal(100, 10)."""
_LOTS = 4


class Gaussian:
    """4 lots, either side, at a normally distributed price, moved to the band's edge if outside."""

    def __init__(self, most_working: int = 6) -> None:
        self._most_working = most_working

    def decide(self, view: View, random: Random) -> list[Place | Cancel]:
        """One order around the reference price; the oldest ones leave."""
        reference = float(view.rules.reference_price)
        price = on_tick(view.rules, random.gauss(reference, _DEVIATION * reference))
        order = Place(view.rules.security, either_side(random), _LOTS * view.rules.lot, price)
        return [*cancel_oldest(view, self._most_working), order]
