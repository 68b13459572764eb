"""A parent order that is executed in parts: what TWAP, VWAP and POV share."""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent
from trading_bots.records import Fill
from trading_bots.strategy import Strategy, View
from trading_bots.taking import take


class ParentOrder(Strategy):
    """Buys or sells `quantity` shares of the first security in `duration_s`.

    At each interval it takes what is due and not yet done; what found nobody is due again. With a
    `limit` price it waits while the market is worse.
    """

    interval_s = 5.0

    def __init__(
        self,
        side: str = "BUY",
        quantity: int = 1000,
        duration_s: float = 3600.0,
        limit: Decimal | None = None,
    ) -> None:
        if side not in ("BUY", "SELL"):
            raise ValueError(f"side {side!r} is not BUY or SELL")
        self._side, self._quantity, self._duration_s = side, quantity, duration_s
        self._limit = limit
        self._start_us = 0
        self.done = 0
        """Shares traded so far."""
        self.paid = Decimal(0)
        """Dollars paid or received for them."""

    def on_start(self, view: View) -> Iterator[Intent]:
        """Time counts from now."""
        self._start_us = view.now_us
        return iter(())

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """A child order for what is due."""
        security = view.securities[0]
        is_waiting = bool(view.orders(security))
        due = min(self.due(view, security), self._quantity) - self.done
        if due > 0 and not is_waiting and self._is_price_good(view, security):
            yield from take(view, security, self._side, due)

    def on_fill(self, view: View, fill: Fill) -> Iterator[Intent]:
        """Count what was done."""
        self.done += fill.quantity
        self.paid += fill.quantity * fill.price
        return iter(())

    def due(self, view: View, security: str) -> int:
        """Shares that should be done by now."""
        raise NotImplementedError

    def part_of_time(self, view: View) -> float:
        """How much of the duration has passed, 0 to 1."""
        return min((view.now_us - self._start_us) / 1_000_000 / self._duration_s, 1.0)

    def _is_price_good(self, view: View, security: str) -> bool:
        price = view.price(security)
        best = price.ask if self._side == "BUY" else price.bid
        if self._limit is None or best is None:
            return best is not None
        return best <= self._limit if self._side == "BUY" else best >= self._limit
