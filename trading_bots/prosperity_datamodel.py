"""What a `Trader` of IMC Prosperity imports as `datamodel`: the same names and shapes.

A trader's file says `from datamodel import Order, OrderDepth, TradingState`. The names of the
attributes are those of Prosperity, not of this venue.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Time = int
Symbol = str
Product = str
Position = int
UserId = str
ObservationValue = int


@dataclass
class Listing:
    """A symbol that may be traded."""

    symbol: Symbol
    product: Product
    denomination: Product


@dataclass
class ConversionObservation:
    """Prices and fees of another market; this venue has none."""

    bidPrice: float = 0.0
    askPrice: float = 0.0
    transportFees: float = 0.0
    exportTariff: float = 0.0
    importTariff: float = 0.0
    sugarPrice: float = 0.0
    sunlightIndex: float = 0.0


@dataclass
class Observation:
    """What is seen beside the market; this venue shows nothing."""

    plainValueObservations: dict[Product, ObservationValue] = field(default_factory=dict)
    conversionObservations: dict[Product, ConversionObservation] = field(default_factory=dict)


@dataclass
class Order:
    """A wish to buy (`quantity` above 0) or sell (below 0) at `price`."""

    symbol: Symbol
    price: int
    quantity: int

    def __str__(self) -> str:
        return f"({self.symbol}, {self.price}, {self.quantity})"

    __repr__ = __str__


@dataclass
class OrderDepth:
    """Quantity by price: above 0 in `buy_orders`, below 0 in `sell_orders`."""

    buy_orders: dict[int, int] = field(default_factory=dict)
    sell_orders: dict[int, int] = field(default_factory=dict)


@dataclass
class Trade:
    """A trade; an own one has SUBMISSION as buyer or seller."""

    symbol: Symbol
    price: int
    quantity: int
    buyer: UserId | None = ""
    seller: UserId | None = ""
    timestamp: int = 0

    def __str__(self) -> str:
        return (
            f"({self.symbol}, {self.buyer} << {self.seller}, {self.price}, {self.quantity}, "
            f"{self.timestamp})"
        )

    __repr__ = __str__


@dataclass
class TradingState:
    """What `Trader.run` is given."""

    traderData: str
    timestamp: Time
    listings: Mapping[Symbol, Listing]
    order_depths: dict[Symbol, OrderDepth]
    own_trades: dict[Symbol, list[Trade]]
    market_trades: dict[Symbol, list[Trade]]
    position: dict[Product, Position]
    observations: Observation

    def toJSON(self) -> str:
        """The state as JSON with sorted keys."""
        return json.dumps(self, default=lambda thing: thing.__dict__, sort_keys=True)


class ProsperityEncoder(json.JSONEncoder):
    """Encodes these classes by their attributes."""

    def default(self, o: Any) -> Any:
        """The attributes of an object."""
        return o.__dict__
