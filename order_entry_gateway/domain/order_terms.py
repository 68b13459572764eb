"""Says which rare terms an order may have, by its type and time in force.

docs/orders.md has the same as a table. Example: post_only with IOC is refused, because an order
that must not trade on entry and must not rest can do nothing.
"""

from order_entry_gateway.domain.requests import PlaceOrderRequest
from venue_protocol.commands import PlaceOrder
from venue_protocol.money import MoneyError, parse_json_e4
from venue_protocol.orders import (
    CANCEL_NEWEST,
    DAY,
    GTC,
    GTD,
    IOC,
    LIMIT,
    STOPS,
    UNPRICED,
    OrderTerms,
    TimeInForce,
)
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_protocol.times import TimeError, parse_utc

MOST_REFRESHES = 100
"""An iceberg shows at least one part in so many of its quantity.

Each part that is shown may be a trade of its own, so this bounds the trades of one command.
"""
_NOTHING = b"null"
_PLAIN = OrderTerms()


def check_terms(
    request: PlaceOrderRequest, time_in_force: TimeInForce, security: Security
) -> OrderTerms | Refusal | None:
    """The order's terms, None if it has none, or why it can't have them."""
    stop_price_e4 = _stop_price_e4(request, security)
    if isinstance(stop_price_e4, Refusal):
        return stop_price_e4
    expires_us = _expires_us(request.expire_time, time_in_force)
    if isinstance(expires_us, Refusal):
        return expires_us
    refusal = (
        _refuse_post_only(request, time_in_force)
        or _refuse_min_quantity(request, time_in_force, security)
        or _refuse_display_quantity(request, time_in_force, security)
    )
    if refusal is not None:
        return refusal
    terms = OrderTerms(
        stop_price_e4,
        expires_us,
        request.min_quantity,
        request.display_quantity,
        request.post_only,
        request.self_trade_prevention or CANCEL_NEWEST,
        request.do_not_reduce,
    )
    return None if terms == _PLAIN else terms


def refuse_display(quantity: int, display_quantity: int) -> Refusal | None:
    """The refusal of an iceberg that would show too little of its quantity at a time."""
    if quantity <= MOST_REFRESHES * display_quantity:
        return None
    return Refusal(
        RejectReason.DISPLAY_QUANTITY_TOO_SMALL,
        f"display_quantity {display_quantity} is less than one part in {MOST_REFRESHES} of "
        f"quantity {quantity}",
        "display_quantity",
    )


def _stop_price_e4(request: PlaceOrderRequest, security: Security) -> int | Refusal | None:
    raw = bytes(request.stop_price)
    if raw == _NOTHING:
        if request.type in STOPS:
            return Refusal(
                RejectReason.STOP_PRICE_REQUIRED,
                f"a {request.type} order needs a stop_price",
                "stop_price",
            )
        return None
    if request.type not in STOPS:
        message = f"a {request.type} order has no stop_price; send type stop or stop_limit"
        return Refusal(RejectReason.STOP_PRICE_NOT_ALLOWED, message, "stop_price")
    try:
        stop_price_e4 = parse_json_e4(raw)
    except MoneyError as error:
        return Refusal(RejectReason.INVALID_FIELD, f"stop_price: {error}", "stop_price")
    return security.refuse_price(stop_price_e4, "stop_price") or stop_price_e4


def _expires_us(expire_time: str | None, time_in_force: TimeInForce) -> int | Refusal | None:
    if expire_time is None:
        if time_in_force == GTD:
            return Refusal(
                RejectReason.EXPIRE_TIME_REQUIRED, "a GTD order needs an expire_time", "expire_time"
            )
        return None
    if time_in_force != GTD:
        message = f"a {time_in_force} order has no expire_time; send time_in_force GTD"
        return Refusal(RejectReason.EXPIRE_TIME_NOT_ALLOWED, message, "expire_time")
    try:
        return parse_utc(expire_time)
    except TimeError as error:
        return Refusal(RejectReason.INVALID_FIELD, f"expire_time: {error}", "expire_time")


def _refuse_post_only(request: PlaceOrderRequest, time_in_force: TimeInForce) -> Refusal | None:
    if not request.post_only or _may_rest(request, time_in_force):
        return None
    message = "post_only is for limit orders that may rest: GTC, GTD or DAY"
    return Refusal(RejectReason.POST_ONLY_NOT_ALLOWED, message, "post_only")


def _refuse_min_quantity(
    request: PlaceOrderRequest, time_in_force: TimeInForce, security: Security
) -> Refusal | None:
    if request.min_quantity is None:
        return None
    if time_in_force != IOC:
        message = "min_quantity is for time_in_force IOC"
        return Refusal(RejectReason.MIN_QUANTITY_NOT_ALLOWED, message, "min_quantity")
    return _refuse_part(request.min_quantity, "min_quantity", request.quantity, security)


def _refuse_display_quantity(
    request: PlaceOrderRequest, time_in_force: TimeInForce, security: Security
) -> Refusal | None:
    if request.display_quantity is None:
        return None
    if not _may_rest(request, time_in_force):
        message = "display_quantity is for limit orders that may rest: GTC, GTD or DAY"
        return Refusal(RejectReason.DISPLAY_QUANTITY_NOT_ALLOWED, message, "display_quantity")
    return _refuse_part(
        request.display_quantity, "display_quantity", request.quantity, security
    ) or refuse_display(request.quantity, request.display_quantity)


def _refuse_part(part: int, field: str, quantity: int, security: Security) -> Refusal | None:
    """The refusal of a part that is not positive, not in whole lots, or above the whole."""
    if part > quantity:
        return Refusal(
            RejectReason.QUANTITY_TOO_LARGE, f"{field} {part} is above quantity {quantity}", field
        )
    return security.refuse_quantity(part, field)


def _may_rest(request: PlaceOrderRequest, time_in_force: TimeInForce) -> bool:
    return request.type == LIMIT and time_in_force in (GTC, GTD, DAY)


def refuse_amended_terms(place: PlaceOrder, price_e4: int | None, quantity: int) -> Refusal | None:
    """The refusal of an amend that asks for what an order of this kind can't have."""
    if price_e4 is not None and place.order_type in UNPRICED:
        return Refusal(
            RejectReason.PRICE_NOT_ALLOWED, f"a {place.order_type} order has no price", "price"
        )
    if place.terms is not None and place.terms.display_quantity is not None:
        return refuse_display(quantity, place.terms.display_quantity)
    return None
