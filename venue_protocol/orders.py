"""The closed vocabularies of an order (FIX 5.0 SP2 spelling where FIX has a word)."""

from typing import Final, Literal

Side = Literal["BUY", "SELL"]
BUY: Final = "BUY"
SELL: Final = "SELL"

OrderType = Literal["limit", "market"]
LIMIT: Final = "limit"
MARKET: Final = "market"

TimeInForce = Literal["GTC", "IOC", "FOK", "DAY", "OPG", "CLS"]
GTC: Final = "GTC"
IOC: Final = "IOC"
FOK: Final = "FOK"
DAY: Final = "DAY"
"""Until the trading day closes."""
OPG: Final = "OPG"
"""In the opening auction only (FIX At the Opening)."""
CLS: Final = "CLS"
"""In the closing auction only (FIX At the Close); parked until then."""

OrderStatus = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]

CancelReason = Literal[
    "requested",
    "ioc_remainder",
    "fok_unfilled",
    "market_remainder",
    "self_trade_prevention",
    "day_expired",
    "opening_remainder",
    "closing_remainder",
    "volatility_band",
    "session_closed",
    "session_halted",
    "not_in_auction",
    "opening_only_too_late",
]
"""Why an order left the book unfilled; each OrderCanceled event carries one."""
