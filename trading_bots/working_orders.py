"""A bot's own list of its open orders, corrected from time to time by the venue's list."""

import time
from collections.abc import Callable, Iterable
from decimal import Decimal

from trading_bots.commands import Cancel, Command, Place
from trading_bots.records import Order, Receipt
from trading_bots.refusal import Refused
from trading_bots.strategy import WorkingOrder

MOST_LAG_S = 3.0
"""How long the venue's list of open orders may lag behind an answer of order entry."""


class WorkingOrders:
    """Own open orders by client_order_id, oldest first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._orders: dict[str, WorkingOrder] = {}
        self._changed_at: dict[str, float] = {}

    def all(self) -> tuple[WorkingOrder, ...]:
        """The open orders, oldest first."""
        return tuple(self._orders.values())

    def apply(self, command: Command, result: Receipt | Refused) -> None:
        """Apply the answer to a command; an order that can't rest is not kept."""
        if isinstance(command, Cancel) and command.client_order_id is not None:
            self._orders.pop(command.client_order_id, None)
            self._changed_at[command.client_order_id] = self._monotonic()
        if (
            isinstance(command, Place)
            and isinstance(result, Receipt)
            and command.client_order_id is not None
        ):
            rests = command.type == "limit" and command.time_in_force in (None, "GTC", "GTD", "DAY")
            if rests:
                self._add(
                    command.client_order_id,
                    command.side,
                    Decimal(str(command.price)),
                    command.quantity,
                )

    def correct(self, open_orders: Iterable[Order]) -> None:
        """Take over the venue's list, except for orders that changed within MOST_LAG_S."""
        recent = self._monotonic() - MOST_LAG_S
        self._changed_at = {name: at for name, at in self._changed_at.items() if at > recent}
        listed = {
            order.client_order_id: order
            for order in open_orders
            if order.client_order_id and order.price
        }
        for name in [
            name for name in self._orders if name not in listed and name not in self._changed_at
        ]:
            del self._orders[name]
        for name, order in sorted(listed.items(), key=lambda item: item[1].order_id):
            if (
                name not in self._orders
                and name not in self._changed_at
                and order.price is not None
            ):
                self._orders[name] = WorkingOrder(name, order.side, order.price, order.leaves)

    def _add(self, name: str, side: str, price: Decimal, quantity: int) -> None:
        self._orders[name] = WorkingOrder(name, side, price, quantity)
        self._changed_at[name] = self._monotonic()
