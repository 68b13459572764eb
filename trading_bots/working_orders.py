"""A bot's own list of its open orders: what it sent, what the venue reported of it, and from time
to time the venue's list.
"""

import time
from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec.structs import replace

from trading_bots.commands import Amount, Cancel, CancelAll, Command, Place
from trading_bots.records import FeeRates, Order, OrderReport, Receipt, WorkingOrder
from trading_bots.refusal import Refused

MOST_LAG_S = 3.0
"""How long the venue's list of open orders may lag behind an answer of order entry."""
_ENDED = frozenset({"filled", "canceled", "expired", "rejected"})


class WorkingOrders:
    """Own open orders by name, oldest first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._orders: dict[str, WorkingOrder] = {}
        self._names: dict[int, str] = {}
        """Names of the listed orders by order_id."""
        self._changed_at: dict[str, float] = {}
        self._fees: dict[str, FeeRates | None] = {}
        """Of the newest order in each security."""

    def all(self) -> tuple[WorkingOrder, ...]:
        """The open orders, oldest first."""
        return tuple(self._orders.values())

    def sending(self, command: Command) -> None:
        """Note a command that is about to be sent: a new order, or one that is to leave."""
        if isinstance(command, Place) and command.client_order_id is not None:
            self._put(
                command.client_order_id,
                WorkingOrder(
                    client_order_id=command.client_order_id,
                    security=command.security,
                    side=command.side.upper(),
                    quantity=command.quantity,
                    leaves=command.quantity,
                    price=_decimal(command.price),
                    fees=self._fees.get(command.security),
                ),
            )
        elif isinstance(command, Cancel):
            self._mark(self._name(command.client_order_id, command.order_id), True)
        elif isinstance(command, CancelAll):
            for name, order in list(self._orders.items()):
                if command.security in (None, order.security):
                    self._mark(name, True)

    def answered(self, command: Command, result: Receipt | Refused) -> None:
        """Note the answer to a command: an order has an order_id now, or never came to be."""
        if isinstance(command, Place):
            name = command.client_order_id or ""
            if isinstance(result, Refused):
                self._remove(name)
            elif name in self._orders:
                self._fees[command.security] = result.fees
                known = replace(self._orders[name], order_id=result.order_id, fees=result.fees)
                self._put(name, known)
        elif isinstance(command, Cancel) and isinstance(result, Refused):
            name = self._name(command.client_order_id, command.order_id)
            if result.code.startswith("order."):
                self._remove(name)
            else:
                self._mark(name, False)

    def apply(self, report: OrderReport) -> None:
        """Take over what the venue says of one order."""
        name = self._name(report.client_order_id, report.order_id)
        if report.status in _ENDED or (report.status is not None and report.leaves == 0):
            self._remove(name)
        elif report.kind.endswith("_rejected") or report.order_id is None:
            self._mark(name, False)
        elif report.security is not None and report.side is not None:
            known = self._orders.get(name)
            self._put(
                name,
                WorkingOrder(
                    client_order_id=report.client_order_id,
                    order_id=report.order_id,
                    security=report.security,
                    side=report.side,
                    quantity=report.quantity,
                    filled=report.filled,
                    leaves=report.leaves,
                    price=report.price,
                    fees=known.fees if known is not None else self._fees.get(report.security),
                    is_canceling=known is not None and known.is_canceling,
                ),
            )

    def correct(self, open_orders: Iterable[Order]) -> None:
        """Take over the venue's list, except for orders that changed within MOST_LAG_S."""
        recent = self._monotonic() - MOST_LAG_S
        self._changed_at = {name: at for name, at in self._changed_at.items() if at > recent}
        listed = {self._name(order.client_order_id, order.order_id): order for order in open_orders}
        for name in list(self._orders):
            if name not in listed and name not in self._changed_at:
                self._drop(name)
        for name, order in sorted(listed.items(), key=lambda item: item[1].order_id):
            if name not in self._changed_at:
                self._put_listed(name, order)

    def _put_listed(self, name: str, order: Order) -> None:
        known = self._orders.get(name)
        self._orders[name] = WorkingOrder(
            client_order_id=order.client_order_id,
            order_id=order.order_id,
            security=order.security,
            side=order.side,
            quantity=order.quantity,
            filled=order.filled,
            leaves=order.leaves,
            price=order.price,
            fees=order.fees,
            is_canceling=known is not None and known.is_canceling,
        )
        self._names[order.order_id] = name

    def _name(self, client_order_id: str | None, order_id: int | None) -> str:
        """The key of an order: the sender's name, or the venue's where it has none."""
        return client_order_id or self._names.get(order_id or 0) or f"#{order_id}"

    def _put(self, name: str, order: WorkingOrder) -> None:
        self._orders[name] = order
        if order.order_id is not None:
            self._names[order.order_id] = name
        self._changed_at[name] = self._monotonic()

    def _mark(self, name: str, is_canceling: bool) -> None:
        if name in self._orders:
            self._put(name, replace(self._orders[name], is_canceling=is_canceling))

    def _remove(self, name: str) -> None:
        self._drop(name)
        self._changed_at[name] = self._monotonic()

    def _drop(self, name: str) -> None:
        order = self._orders.pop(name, None)
        if order is not None and order.order_id is not None:
            self._names.pop(order.order_id, None)


def _decimal(price: Amount | None) -> Decimal | None:
    return None if price is None else Decimal(str(price))
