"""Flood: many orders in one request, for load."""

from decimal import Decimal
from random import Random

from trading_bots.commands import Cancel, Command, Place
from trading_bots.strategy import View, either_side, on_tick

_REACH = 0.01
"""Farthest resting price from the fair one, as a part of it."""
_MARKETABLE = 0.05
"""Part of the orders that cross the spread."""


class Flood:
    """`batch` commands a decision: passive orders, a few that trade, and cancels of the oldest."""

    def __init__(self, batch: int = 50, most_working: int = 200) -> None:
        self._batch = batch
        self._most_working = most_working

    def decide(self, view: View, random: Random) -> list[Command]:
        """`batch` commands: first the cancels that keep `most_working`, then new orders."""
        room = self._most_working - len(view.working)
        cancels = min(max((self._batch - room + 1) // 2, 0), len(view.working))
        leaving = [
            Cancel(client_order_id=order.client_order_id) for order in view.working[:cancels]
        ]
        fair = float(view.fair_price())
        return [*leaving, *(self._order(view, random, fair) for _ in range(self._batch - cancels))]

    def _order(self, view: View, random: Random, fair: float) -> Place:
        side = either_side(random)
        away = random.uniform(0, _REACH) if random.random() >= _MARKETABLE else -_REACH
        factor = 1 - away if side == "BUY" else 1 + away
        price: Decimal = on_tick(view.rules, fair * factor)
        return Place(view.rules.security, side, random.randint(1, 10) * view.rules.lot, price)
