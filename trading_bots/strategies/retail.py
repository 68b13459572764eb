"""Retail: market orders, whatever the price."""

from random import Random

from trading_bots.commands import Place
from trading_bots.strategy import View, either_side

_LOTS = 4


class Retail:
    """4 lots at the market, either side."""

    def decide(self, view: View, random: Random) -> list[Place]:
        """One market order."""
        return [Place(view.rules.security, either_side(random), _LOTS * view.rules.lot)]
