"""TWAP: a parent order in equal parts over time.

Source: the risk-neutral schedule of Bertsimas, Lo, "Optimal control of execution costs", Journal of
Financial Markets 1 (1998).
"""

from trading_bots.strategies.parent_order import ParentOrder
from trading_bots.strategy import View


class Twap(ParentOrder):
    """As much of the quantity is due as of the time has passed."""

    def due(self, view: View, security: str) -> int:
        """Shares that should be done by now."""
        return int(self.part_of_time(view) * self._quantity)
