"""Orders, their reports, fills and refused orders, for `/docs`."""

from market_data_feed.adapters.api_queries import OF_CLIENT
from service_runtime.http.openapi import (
    AFTER,
    CURSOR,
    LIMIT,
    NEXT,
    Maybe,
    Operation,
    Query,
    Sometimes,
    maybe_each,
)
from venue_protocol.order_views import (
    BEFORE_PARAMETER,
    FEES_EXAMPLE,
    NULLABLE_TERMS_EXAMPLE,
    STATUS_PARAMETER,
    TERMS_EXAMPLE,
)

_TIME_US, _TIME = 1795232311601670, "2026-11-21T03:38:31.601670Z"
_ORDER = {
    "order_id": 2796,
    "client_id": "ann",
    "client_order_id": Maybe("mine-1"),
    "security": "GOOG",
    "side": "BUY",
    "type": "limit",
    "time_in_force": "GTC",
    "quantity": 1,
    "price": Maybe("104.70"),
    **maybe_each(NULLABLE_TERMS_EXAMPLE),
    **TERMS_EXAMPLE,
    "fees": Maybe(FEES_EXAMPLE),
    "status": "filled",
    "filled": 1,
    "leaves": 0,
    "average_price": Maybe("104.01"),
    "reason": Maybe("requested"),
    "accepted_us": _TIME_US,
    "accepted": _TIME,
    "updated_us": _TIME_US,
    "triggered_us": Maybe(_TIME_US),
    "sequence": 3275,
}

_REPORT = {
    "sequence": 3275,
    "kind": "trade",
    "order_id": Maybe(2796),
    "client_order_id": Maybe("mine-1"),
    "security": Maybe("GOOG"),
    "side": Maybe("BUY"),
    "status": Maybe("filled"),
    "quantity": Maybe(1),
    "price": Maybe("104.70"),
    "filled": Maybe(1),
    "leaves": Maybe(0),
    "reason": Maybe("requested"),
    "time_us": _TIME_US,
    "trade_id": Sometimes(425),
    "trade_status": Sometimes("good"),
    "last_price": Sometimes("104.01"),
    "last_quantity": Sometimes(1),
    "role": Sometimes("taker"),
    "fee": Sometimes("0.0521"),
    "reduced": Sometimes(2),
    "canceled": Sometimes(3),
}

_FILL = {
    "sequence": 3275,
    "trade_id": 425,
    "order_id": 2796,
    "client_order_id": Maybe("mine-1"),
    "security": "GOOG",
    "side": "BUY",
    "price": "104.01",
    "quantity": 1,
    "leaves": 0,
    "trade_status": "good",
    "role": "taker",
    "fee": "0.0521",
    "time_us": _TIME_US,
    "time": _TIME,
}

_REFUSED = {
    "client_id": "ann",
    "client_order_id": Maybe("mine-2"),
    "security": Maybe("GOOG"),
    "side": Maybe("SELL"),
    "quantity": Maybe(4),
    "status": "rejected",
    "reason": "risk.insufficient_shares",
    "message": "needs 4 shares of GOOG, available is 3",
    "time_us": _TIME_US,
    "time": _TIME,
}

OPERATIONS = (
    Operation(
        "GET",
        "/v1/orders",
        "Own orders on record, newest first.",
        "client",
        {200: {"orders": [_ORDER], "next": NEXT}},
        query=(
            Query(*STATUS_PARAMETER),
            CURSOR,
            Query(*BEFORE_PARAMETER),
            LIMIT,
            OF_CLIENT,
        ),
    ),
    Operation(
        "GET", "/v1/orders/<int:order_id>", "The order as it stands.", "client", {200: _ORDER}
    ),
    Operation(
        "GET",
        "/v1/orders/<int:order_id>/reports",
        "Its execution reports, oldest first.",
        "client",
        {200: {"order_id": 2796, "reports": [_REPORT], "next": NEXT}},
        query=(AFTER, LIMIT),
    ),
    Operation(
        "GET",
        "/v1/reports",
        "All own execution reports, oldest first.",
        "client",
        {200: {"reports": [_REPORT], "next_after": 3275, "next": NEXT}},
        query=(AFTER, LIMIT, OF_CLIENT),
    ),
    Operation(
        "GET",
        "/v1/fills",
        "Own fills, oldest first.",
        "client",
        {200: {"fills": [_FILL], "next_after": 3275, "next": NEXT}},
        query=(AFTER, LIMIT, OF_CLIENT),
    ),
    Operation(
        "GET",
        "/v1/refused-orders",
        "What the door refused, newest first.",
        "client",
        {200: {"refused_orders": [_REFUSED], "next": NEXT}},
        query=(CURSOR, LIMIT, OF_CLIENT),
    ),
)
