"""What one bot of a simulated market knows: the View of its strategy.

Nothing is computed that is not read.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from random import Random

import msgspec

from market_data_feed.domain.execution_report import ExecutionReport
from trading_bots.commands import Amend, Cancel, CancelAll, Command, Place
from trading_bots.records import (
    Balance,
    Book,
    Holding,
    Price,
    PublicTrade,
    SecurityRules,
    WorkingOrder,
)
from venue_protocol.money import format_e4
from venue_simulation.bot_records import dollars
from venue_simulation.published_market import PublishedMarket
from venue_storage.memory_clearing_data import AccountRow, DepositRow

_NO_SHARES = DepositRow(0, 0)
_REJECTED = ("cancel_rejected", "amend_rejected")


class SeatView:
    """The View of one bot; its seat keeps it up to date."""

    def __init__(
        self, client_id: str, markets: Mapping[str, PublishedMarket], random: Random
    ) -> None:
        self.client_id = client_id
        self.securities = tuple(markets)
        self.random = random
        self.now_us = 0
        self.horizon_us = 0
        """What the venue published up to this time has reached the bot."""
        self._account = AccountRow(0, 0)
        self._cash_of: AccountRow | None = None
        """The row that `_cash` was made from."""
        self._cash: Balance
        self._deposits: dict[str, DepositRow] = {}
        self._working: dict[str, WorkingOrder] = {}
        """Own open orders by client_order_id, oldest first."""
        self._names: dict[int, str] = {}
        """Their names by order_id."""
        self._listed: dict[str | None, tuple[WorkingOrder, ...]] = {}
        """Answers of `orders` since the last change."""
        self._markets = markets

    @property
    def cash(self) -> Balance:
        """Own cash, as the newest message said."""
        row = self._account
        if row is self._cash_of:
            return self._cash
        self._cash_of = row
        self._cash = Balance(
            client_id=self.client_id,
            balance=amount(row.balance_e4),
            held=amount(row.held_e4),
            available=amount(row.balance_e4 - row.held_e4),
        )
        return self._cash

    def rules(self, security: str) -> SecurityRules:
        """Tick, lot, band and reference price."""
        return self._markets[security].rules

    def book(self, security: str) -> Book:
        """The newest depth that has reached the bot, best first."""
        return self._markets[security].book(self.horizon_us)

    def price(self, security: str) -> Price:
        """Last price, best bid and best ask."""
        return self._markets[security].price(self.horizon_us)

    def fair_price(self, security: str) -> Decimal:
        """The middle of bid and ask; else the last price; else the reference price."""
        price = self._markets[security].price(self.horizon_us)
        if price.bid is not None and price.ask is not None:
            return (price.bid + price.ask) / 2
        return price.last or self._markets[security].rules.reference_price

    def trades(self, security: str) -> Sequence[PublicTrade]:
        """The newest trades that have reached the bot, oldest first."""
        return self._markets[security].trades(self.horizon_us)

    def holding(self, security: str) -> Holding:
        """Own shares, as the newest message said."""
        row = self._deposits.get(security, _NO_SHARES)
        return Holding(
            client_id=self.client_id,
            security=security,
            quantity=row.quantity,
            held=row.held,
            available=row.quantity - row.held,
        )

    def orders(self, security: str | None = None) -> tuple[WorkingOrder, ...]:
        """Own open orders, of one security or of all, oldest first."""
        known = self._listed.get(security)
        if known is None:
            orders = self._working.values()
            if security is None or self.securities == (security,):
                known = tuple(orders)
            else:
                known = tuple(order for order in orders if order.security == security)
            self._listed[security] = known
        return known

    def learn_account(self, account: AccountRow, deposits: Mapping[str, DepositRow]) -> None:
        """The venue has told how cash and these shares stand."""
        self._account = account
        self._deposits.update(deposits)

    def learn_report(self, report: ExecutionReport) -> None:
        """The venue has told what happened to an own order."""
        order_id, name = report.order_id, report.client_order_id
        if order_id is None:
            return
        if name is None:
            name = self._names.get(order_id)
        order = self._working.get(name) if name is not None else None
        if order is None or name is None:
            return
        self._listed.clear()
        if report.kind in _REJECTED:
            self._working[name] = msgspec.structs.replace(order, is_canceling=False)
        elif not report.leaves:
            del self._working[name]
            self._names.pop(order_id, None)
        else:
            self._names[order_id] = name
            self._working[name] = WorkingOrder(
                client_order_id=name,
                security=order.security,
                side=order.side,
                quantity=report.quantity or 0,
                leaves=report.leaves,
                filled=report.filled or 0,
                price=dollars(report.price_e4) if report.price_e4 is not None else None,
                order_id=order_id,
                is_canceling=order.is_canceling,
            )

    def learn_refusal(self, command: Command) -> None:
        """The venue has refused an own command."""
        self._listed.clear()
        if isinstance(command, Place):
            self._working.pop(command.client_order_id or "", None)
        elif isinstance(command, Cancel):
            self._mark(self._named(command), False)

    def sent(self, command: Command) -> None:
        """An own command is on its way."""
        self._listed.clear()
        if isinstance(command, Place):
            name = command.client_order_id or ""
            self._working[name] = WorkingOrder(
                client_order_id=name,
                security=command.security,
                side=command.side.upper(),
                quantity=command.quantity,
                leaves=command.quantity,
                price=Decimal(command.price) if command.price is not None else None,
            )
        elif isinstance(command, Cancel):
            self._mark(self._named(command), True)
        elif isinstance(command, CancelAll):
            self._mark(
                [
                    name
                    for name, order in self._working.items()
                    if command.security in (None, order.security)
                ],
                True,
            )

    def _named(self, command: Cancel | Amend) -> list[str]:
        name = command.client_order_id or self._names.get(command.order_id or 0)
        return [name] if name in self._working and name is not None else []

    def _mark(self, names: Iterable[str], is_canceling: bool) -> None:
        for name in names:
            order = self._working[name]
            self._working[name] = msgspec.structs.replace(order, is_canceling=is_canceling)


def amount(amount_e4: int) -> Decimal:
    """An amount of cash as a bot reads it."""
    return Decimal(format_e4(amount_e4))
