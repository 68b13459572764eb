"""The closed vocabularies of an order (FIX 5.0 SP2 spelling where FIX has a word)."""

from typing import Final, Literal

Side = Literal["BUY", "SELL"]
BUY: Final = "BUY"
SELL: Final = "SELL"

OrderType = Literal["limit", "market"]
LIMIT: Final = "limit"
MARKET: Final = "market"

TimeInForce = Literal["GTC", "IOC", "FOK"]
GTC: Final = "GTC"
IOC: Final = "IOC"
FOK: Final = "FOK"

OrderStatus = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]

CancelReason = Literal["requested", "ioc_remainder", "fok_unfilled", "market_remainder", "self_trade_prevention"]
"""Why an order left the book unfilled; each OrderCanceled event carries one."""
