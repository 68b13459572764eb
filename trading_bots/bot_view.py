"""The view of one bot, on what its process knows of the market and of the account."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Protocol

from trading_bots.account import Account
from trading_bots.records import (
    Balance,
    Book,
    Holding,
    Price,
    PublicTrade,
    SecurityRules,
    WorkingOrder,
)


class KnownMarket(Protocol):
    """Rules, depth, prices and trades by security."""

    def rules(self, security: str) -> SecurityRules:
        """Trading rules."""
        ...

    def book(self, security: str) -> Book:
        """The newest depth."""
        ...

    def price(self, security: str) -> Price:
        """The newest price."""
        ...

    def trades(self, security: str) -> Sequence[PublicTrade]:
        """The newest trades, oldest first."""
        ...


class BotView:
    """A `View`. Nothing is computed that is not read.

    KeyError for a security that the bot did not ask for, though others of the process may see it.
    """

    def __init__(
        self,
        securities: tuple[str, ...],
        random: Random,
        market: KnownMarket,
        account: Account,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.securities = securities
        self.random = random
        self.client_id = account.client_id
        self._market = market
        self._account = account
        self._now_us = now_us

    @property
    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        return self._now_us()

    @property
    def cash(self) -> Balance:
        """Own cash."""
        return self._account.cash

    def rules(self, security: str) -> SecurityRules:
        """Tick, lot, band and reference price."""
        return self._market.rules(self._asked_for(security))

    def book(self, security: str) -> Book:
        """The newest depth, best first."""
        return self._market.book(self._asked_for(security))

    def price(self, security: str) -> Price:
        """Last price, best bid and best ask."""
        return self._market.price(self._asked_for(security))

    def fair_price(self, security: str) -> Decimal:
        """The middle of bid and ask; else the last price; else the reference price."""
        price = self.price(security)
        if price.bid is not None and price.ask is not None:
            return (price.bid + price.ask) / 2
        return price.last or self.rules(security).reference_price

    def trades(self, security: str) -> Sequence[PublicTrade]:
        """The newest trades, oldest first."""
        return self._market.trades(self._asked_for(security))

    def holding(self, security: str) -> Holding:
        """Own shares."""
        return self._account.holding(security)

    def orders(self, security: str | None = None) -> tuple[WorkingOrder, ...]:
        """Own open orders, oldest first."""
        return self._account.orders(security)

    def _asked_for(self, security: str) -> str:
        if security not in self.securities:
            raise KeyError(security)
        return security
