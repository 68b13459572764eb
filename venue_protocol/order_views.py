"""How the terms of an order are shown to its owner, the same at each door."""

from typing import Any

from venue_protocol.fees import FeeRates
from venue_protocol.money import format_e4
from venue_protocol.orders import UNPRICED, OrderTerms
from venue_protocol.times import format_utc

_PLAIN = OrderTerms()
NULLABLE_TERMS_EXAMPLE = {
    "worst_price": "150.00",
    "stop_price": "110.00",
    "expire_time": "2026-11-21T14:30:00.000000Z",
    "min_quantity": 2,
    "display_quantity": 10,
}
"""What may be null of what is shown of an order beside its price, for documents."""
FEES_EXAMPLE = {"maker_bps": -1, "taker_bps": 3, "auction_bps": 1}
"""The rates of an order, null where it costs nothing."""
TERMS_EXAMPLE = {
    "post_only": False,
    "self_trade_prevention": "cancel_newest",
    "do_not_reduce": False,
}
"""What is never null of it."""

STATUS_PARAMETER = (
    "status",
    "`open` or `all`",
    {"type": "string", "enum": ["open", "all"], "default": "open"},
)
"""What a list of own orders can be asked for, for documents: name, meaning and schema."""
BEFORE_PARAMETER = ("before", "the former name of `after`: any order_id")
"""The same, as `STATUS_PARAMETER`; a whole number."""


def price_shown(order_type: str, price_e4: int) -> str | None:
    """The limit; None for a type that has none."""
    return None if order_type in UNPRICED else format_e4(price_e4)


def worst_price_shown(order_type: str, price_e4: int) -> str | None:
    """How far an order without a limit may trade, and what its hold stands for: the edge of the
    price band.
    """
    return format_e4(price_e4) if order_type in UNPRICED else None


def fees_shown(fees: FeeRates | None) -> dict[str, int] | None:
    """The rates of an order, basis points of a trade's value; None if it costs nothing."""
    if fees is None:
        return None
    return {
        "maker_bps": fees.maker_bps,
        "taker_bps": fees.taker_bps,
        "auction_bps": fees.auction_bps,
    }


def terms_shown(terms: OrderTerms | None) -> dict[str, Any]:
    """The rare terms under the names of the request; null, false or the default where an order has
    none.
    """
    shown = terms or _PLAIN
    return {
        "stop_price": None if shown.stop_price_e4 is None else format_e4(shown.stop_price_e4),
        "expire_time": None if shown.expires_us is None else format_utc(shown.expires_us),
        "min_quantity": shown.min_quantity,
        "display_quantity": shown.display_quantity,
        "post_only": shown.is_post_only,
        "self_trade_prevention": shown.self_trade_prevention,
        "do_not_reduce": shown.does_not_reduce,
    }
