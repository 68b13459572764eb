"""POV: a parent order that takes part in a share of what others trade.

Source: Almgren, Thum, Hauptmann, Li, "Direct estimation of equity market impact", Risk (2005): the
participation rate sets the cost.
"""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent
from trading_bots.records import PublicTrade
from trading_bots.strategies.parent_order import ParentOrder
from trading_bots.strategy import View


class Pov(ParentOrder):
    """Trades `rate` of all volume, its own included, until the quantity is done.

    It has no end in time; `duration_s` plays no part.
    """

    interval_s = 1.0

    def __init__(
        self,
        side: str = "BUY",
        quantity: int = 1000,
        rate: float = 0.1,
        limit: Decimal | None = None,
    ) -> None:
        super().__init__(side, quantity, limit=limit)
        if not 0 < rate < 1:
            raise ValueError(f"rate {rate} is not between 0 and 1")
        self._rate = rate
        self._volume = 0

    def on_trade(self, view: View, trade: PublicTrade) -> Iterator[Intent]:
        """Count the market's volume."""
        if trade.security == view.securities[0]:
            self._volume += trade.quantity
        return iter(())

    def due(self, view: View, security: str) -> int:
        """Shares that should be done by now: the share of what others trade."""
        others = max(self._volume - self.done, 0)
        return int(others * self._rate / (1 - self._rate))
