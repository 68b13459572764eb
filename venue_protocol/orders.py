"""The closed vocabularies of an order (FIX 5.0 SP2 spelling where FIX has a word), and its rare
terms.
"""

from typing import Final, Literal

import msgspec

Side = Literal["BUY", "SELL"]
BUY: Final = "BUY"
SELL: Final = "SELL"

OrderType = Literal["limit", "market", "stop", "stop_limit"]
LIMIT: Final = "limit"
MARKET: Final = "market"
STOP: Final = "stop"
"""Becomes a market order once elected."""
STOP_LIMIT: Final = "stop_limit"
"""Becomes a limit order once elected."""

UNPRICED: Final = (MARKET, STOP)
"""Types without a limit: their `price_e4` is the edge of the price band, their worst price."""
STOPS: Final = (STOP, STOP_LIMIT)

TimeInForce = Literal["GTC", "IOC", "FOK", "GTD", "DAY", "OPG", "CLS"]
GTC: Final = "GTC"
IOC: Final = "IOC"
FOK: Final = "FOK"
GTD: Final = "GTD"
DAY: Final = "DAY"
"""Until the trading day closes."""
OPG: Final = "OPG"
"""In the opening auction only (FIX At the Opening)."""
CLS: Final = "CLS"
"""In the closing auction only (FIX At the Close); waits outside the book until then."""
OF_THE_DAY: Final = frozenset({DAY, OPG, CLS})
"""Times in force that end with a phase of the trading day."""

SelfTradePrevention = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]
CANCEL_NEWEST: Final = "cancel_newest"
CANCEL_OLDEST: Final = "cancel_oldest"
CANCEL_BOTH: Final = "cancel_both"
DECREMENT: Final = "decrement"

OrderStatus = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]

CancelReason = Literal[
    "requested",
    "ioc_remainder",
    "fok_unfilled",
    "market_remainder",
    "self_trade_prevention",
    "post_only_would_trade",
    "min_quantity_unmet",
    "expired",
    "opening_remainder",
    "closing_remainder",
    "volatility_band",
    "session_closed",
    "session_halted",
    "not_in_auction",
    "opening_only_too_late",
    "corporate_action",
]
"""Why an order left the book unfilled; each OrderCanceled event carries one."""
EXPIRED: Final = "expired"


class OrderTerms(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What few orders have.

    One optional record of the order, so that plain orders pay nothing for it.
    """

    stop_price_e4: int | None = None
    """The order waits until the last trade is at or through this price."""
    expires_us: int | None = None
    """GTD: what is open at the first batch of the log with this time or a later one expires."""
    min_quantity: int | None = None
    """IOC: at least so many shares trade at once, or none (FIX MinQty)."""
    display_quantity: int | None = None
    """Iceberg: shares shown at a time; the rest waits behind the queue (FIX DisplayQty)."""
    is_post_only: bool = False
    """Canceled instead of trading on entry."""
    self_trade_prevention: SelfTradePrevention = CANCEL_NEWEST
    """What happens when this order, entering, meets an own resting order."""
    does_not_reduce: bool = False
    """DNR: a cash dividend leaves its price as it is (FIX ExecInst F)."""
