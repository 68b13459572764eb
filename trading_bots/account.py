"""What a bot knows of its own account: cash, shares and open orders.

The venue settles a trade a moment after it tells the trade. What is bought meanwhile counts as
held, so `available` never promises what is spent.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from trading_bots.records import (
    Balance,
    Holding,
    Order,
    OrderReport,
    SecurityRules,
    SettlementReport,
    WorkingOrder,
)
from trading_bots.working_orders import WorkingOrders

_SETTLED_KEPT = 1000
"""Settled trades remembered, for a settlement that arrives before the report of its trade."""


class Account:
    """Kept from order reports and settlement reports; corrected by what the venue lists."""

    def __init__(self, client_id: str, rules: Callable[[str], SecurityRules]) -> None:
        self.client_id = client_id
        self.working = WorkingOrders()
        self._rules = rules
        self._balance = Decimal(0)
        self._quantities: dict[str, int] = {}
        self._unsettled: dict[tuple[int, int], OrderReport] = {}
        """Reports of trades by (trade_id, order_id)."""
        self._settled: deque[tuple[int, int]] = deque(maxlen=_SETTLED_KEPT)

    @property
    def cash(self) -> Balance:
        """Cash: balance, held, available."""
        held = sum((self._cash_of(order) for order in self.working.all()), Decimal(0))
        held += sum(
            (
                (report.last_price or Decimal(0)) * (report.last_quantity or 0) + report.fee
                for report in self._unsettled.values()
                if report.side == "BUY"
            ),
            Decimal(0),
        )
        return Balance(
            client_id=self.client_id,
            balance=self._balance,
            held=held,
            available=self._balance - held,
        )

    def holding(self, security: str) -> Holding:
        """Shares of one security: quantity, held, available."""
        quantity = self._quantities.get(security, 0)
        held = sum(
            order.leaves
            for order in self.working.all()
            if order.security == security and order.side == "SELL"
        )
        held += sum(
            report.last_quantity or 0
            for report in self._unsettled.values()
            if report.security == security and report.side == "SELL"
        )
        return Holding(
            client_id=self.client_id,
            security=security,
            quantity=quantity,
            held=held,
            available=quantity - held,
        )

    def orders(self, security: str | None = None) -> tuple[WorkingOrder, ...]:
        """Open orders, of one security or of all, oldest first."""
        orders = self.working.all()
        if security is None:
            return orders
        return tuple(order for order in orders if order.security == security)

    def apply_report(self, report: OrderReport) -> None:
        """Take over an order report of the venue."""
        self.working.apply(report)
        if report.trade_id is not None and report.order_id is not None:
            key = (report.trade_id, report.order_id)
            if key not in self._settled:
                self._unsettled[key] = report

    def apply_settlement(self, report: SettlementReport) -> None:
        """Take over a movement of cash or shares."""
        self._balance = report.balance
        if report.security is not None and report.holding is not None:
            self._quantities[report.security] = report.holding
        if report.trade_id is not None and report.order_id is not None:
            key = (report.trade_id, report.order_id)
            self._settled.append(key)
            self._unsettled.pop(key, None)

    def correct(
        self, balance: Decimal, quantities: Mapping[str, int], open_orders: Iterable[Order]
    ) -> None:
        """Take over what the venue lists now."""
        self._balance = balance
        self._quantities = dict(quantities)
        self._unsettled.clear()
        self.working.correct(open_orders)

    def _cash_of(self, order: WorkingOrder) -> Decimal:
        """What an open order holds; one without a limit may pay up to the edge of the band."""
        if order.side != "BUY":
            return Decimal(0)
        price = order.price
        if price is None:
            rules = self._rules(order.security)
            price = rules.band_high or rules.reference_price
        fee = order.fees.held_on(price) if order.fees is not None else Decimal(0)
        return (price + fee) * order.leaves
