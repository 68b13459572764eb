"""Flood: many orders in one request, for load."""

from collections.abc import Iterator

from trading_bots.commands import Intent, Place
from trading_bots.strategy import Strategy, View, cancel, either_side, on_tick, working

_REACH = 0.01
"""Farthest resting price from the fair one, as a part of it."""
_MARKETABLE = 0.05
"""Part of the orders that cross the spread."""


class Flood(Strategy):
    """`batch` commands a decision: passive orders, a few that trade, and cancels of the oldest."""

    interval_s = 0.5

    def __init__(self, batch: int = 50, most_working: int = 200) -> None:
        self._batch = batch
        self._most_working = most_working

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """`batch` commands a security: the cancels that keep `most_working`, then new orders."""
        for security in view.securities:
            orders = working(view, security)
            room = self._most_working - len(orders)
            cancels = min(max((self._batch - room + 1) // 2, 0), len(orders))
            for order in orders[:cancels]:
                yield cancel(order)
            fair = float(view.fair_price(security))
            for _ in range(self._batch - cancels):
                yield self._order(view, security, fair)

    def _order(self, view: View, security: str, fair: float) -> Place:
        rules, random = view.rules(security), view.random
        side = either_side(random)
        away = random.uniform(0, _REACH) if random.random() >= _MARKETABLE else -_REACH
        factor = 1 - away if side == "BUY" else 1 + away
        price = on_tick(rules, fair * factor)
        return Place(security, side, random.randint(1, 10) * rules.lot, price)
