"""Brings the open orders of one security to a new list, with as few new holds as can be.

A cancel frees its hold a moment later, so a list of cancels and new orders would need the means
twice; orders that stay are left alone, and others are amended (docs/bots.md, market making).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading_bots.commands import Amend, Intent, Place
from trading_bots.records import WorkingOrder
from trading_bots.strategy import View, cancel, working


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that should be open: bought where `quantity` is above 0, sold where below."""

    price: Decimal
    quantity: int

    @property
    def side(self) -> str:
        """BUY or SELL."""
        return "BUY" if self.quantity > 0 else "SELL"


def replace_orders(view: View, security: str, wishes: list[Wish]) -> Iterator[Intent]:
    """The intents that leave these orders open and no others."""
    own = working(view, security)
    for side in ("BUY", "SELL"):
        wanted = [wish for wish in wishes if wish.quantity and wish.side == side]
        orders = [order for order in own if order.side == side]
        for order in list(orders):
            same = next((wish for wish in wanted if _is_open_as(wish, order)), None)
            if same is not None:
                wanted.remove(same)
                orders.remove(order)
        yield from _change(security, side, orders, wanted)


def _is_open_as(wish: Wish, order: WorkingOrder) -> bool:
    return order.price == wish.price and order.leaves == abs(wish.quantity)


def _change(
    security: str, side: str, orders: list[WorkingOrder], wanted: list[Wish]
) -> Iterator[Intent]:
    """Amend as many as there are wishes for, cancel the others, place what is left."""
    amendable = [order for order in orders if order.order_id is not None]
    pairs = list(zip(amendable, wanted, strict=False))
    amended = [order for order, _ in pairs]
    yield from (cancel(order) for order in orders if order not in amended)
    for order, wish in pairs:
        quantity = order.filled + abs(wish.quantity)
        yield Amend(order_id=order.order_id, price=wish.price, quantity=quantity)
    for wish in wanted[len(pairs) :]:
        yield Place(security, side, abs(wish.quantity), wish.price)
