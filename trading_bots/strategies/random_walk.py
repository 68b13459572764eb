"""Random walk: limit orders along a price that wanders."""

from decimal import Decimal
from random import Random

from trading_bots.commands import Cancel, Place
from trading_bots.strategy import View, cancel_oldest, either_side, on_tick

_STEP = 0.01
"""Largest step of the walk, as a part of the reference price: uniform(-1, 1) at 100."""


class RandomWalk:
    """1 to 10 lots, either side, at a price that walks by up to 1 % a decision.

    The walk starts at the reference price.
    """

    def __init__(self, most_working: int = 6) -> None:
        self._most_working = most_working
        self._price: Decimal | None = None

    def decide(self, view: View, random: Random) -> list[Place | Cancel]:
        """One order at the next price of the walk; the oldest ones leave."""
        reference = view.rules.reference_price
        step = Decimal(random.uniform(-_STEP, _STEP)) * reference
        self._price = on_tick(view.rules, (self._price or reference) + step)
        order = Place(
            view.rules.security,
            either_side(random),
            random.randint(1, 10) * view.rules.lot,
            self._price,
        )
        return [*cancel_oldest(view, self._most_working), order]
