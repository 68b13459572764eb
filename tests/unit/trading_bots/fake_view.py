"""A view whose contents a test chooses, for strategies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from trading_bots.records import (
    Balance,
    Book,
    Holding,
    Level,
    Price,
    PublicTrade,
    SecurityRules,
    WorkingOrder,
)

RULES = SecurityRules(
    security="AAPL",
    tick=Decimal("0.05"),
    lot=10,
    reference_price=Decimal("200"),
    band_low=Decimal("100"),
    band_high=Decimal("300"),
)
SPREAD = Price(security="AAPL", last=Decimal("201"), bid=Decimal("200"), ask=Decimal("202"))


@dataclass
class FakeView:
    """One or several securities, of the same rules and prices unless a test says otherwise."""

    price_of_all: Price = SPREAD
    working: tuple[WorkingOrder, ...] = ()
    random: Random = field(default_factory=lambda: Random(1))
    securities: tuple[str, ...] = ("AAPL",)
    client_id: str = "ann"
    now_us: int = 1_000_000
    prices: Mapping[str, Price] = field(default_factory=dict)
    books: Mapping[str, Book] = field(default_factory=dict)
    shares: Mapping[str, int] = field(default_factory=dict)
    seen_trades: Sequence[PublicTrade] = ()
    own_cash: Decimal = Decimal(10_000)

    @property
    def cash(self) -> Balance:
        return Balance(
            client_id=self.client_id,
            balance=self.own_cash,
            held=Decimal(0),
            available=self.own_cash,
        )

    def rules(self, security: str) -> SecurityRules:
        return RULES

    def price(self, security: str) -> Price:
        return self.prices.get(security, self.price_of_all)

    def book(self, security: str) -> Book:
        if security in self.books:
            return self.books[security]
        price = self.price(security)
        bids = [] if price.bid is None else [Level(price=price.bid, quantity=100)]
        asks = [] if price.ask is None else [Level(price=price.ask, quantity=100)]
        return Book(security=security, bids=bids, asks=asks)

    def fair_price(self, security: str) -> Decimal:
        price = self.price(security)
        if price.bid is not None and price.ask is not None:
            return (price.bid + price.ask) / 2
        return price.last or self.rules(security).reference_price

    def trades(self, security: str) -> Sequence[PublicTrade]:
        return [trade for trade in self.seen_trades if trade.security == security]

    def holding(self, security: str) -> Holding:
        quantity = self.shares.get(security, 0)
        return Holding(
            client_id=self.client_id,
            security=security,
            quantity=quantity,
            held=0,
            available=quantity,
        )

    def orders(self, security: str | None = None) -> tuple[WorkingOrder, ...]:
        return tuple(o for o in self.working if security in (None, o.security))


def working(number: int, side: str = "BUY", price: str = "190") -> WorkingOrder:
    return WorkingOrder(
        client_order_id=f"w{number}",
        order_id=number + 1,
        security="AAPL",
        side=side,
        price=Decimal(price),
        quantity=10,
        leaves=10,
    )
