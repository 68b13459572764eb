"""VWAP: a parent order spread like the market's volume over the day.

Source: Berkowitz, Logue, Noser, "The total cost of transactions on the NYSE", Journal of Finance 43
(1988); the usual U shape of volume is that of Admati, Pfleiderer, Review of Financial Studies 1
(1988).
"""

from decimal import Decimal

from trading_bots.strategies.parent_order import ParentOrder
from trading_bots.strategy import View

U_SHAPE = (1.6, 1.2, 0.9, 0.8, 0.8, 0.9, 1.2, 1.6)
"""Volume in equal parts of the duration, in any unit."""


class Vwap(ParentOrder):
    """As much of the quantity is due as of the day's volume is usual by now.

    `profile` says how volume is spread over equal parts of the duration.
    """

    def __init__(
        self,
        side: str = "BUY",
        quantity: int = 1000,
        duration_s: float = 3600.0,
        limit: Decimal | None = None,
        profile: tuple[float, ...] = U_SHAPE,
    ) -> None:
        super().__init__(side, quantity, duration_s, limit)
        self._profile = profile

    def due(self, view: View, security: str) -> int:
        """Shares that should be done by now."""
        position = self.part_of_time(view) * len(self._profile)
        whole = min(int(position), len(self._profile) - 1)
        volume = sum(self._profile[:whole]) + (position - whole) * self._profile[whole]
        return int(volume / sum(self._profile) * self._quantity)
