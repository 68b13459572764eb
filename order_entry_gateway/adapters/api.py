"""What order entry can be asked, for `/docs` and `/openapi.json`."""

from typing import Any

from order_entry_gateway.action_desk import ActionRequest
from order_entry_gateway.adapters import api_settlement
from order_entry_gateway.domain.requests import (
    Action,
    AmendRequest,
    CancelAfterRequest,
    CancelListRequest,
    PlaceOrderRequest,
)
from order_entry_gateway.loops.phase_schedule import AroundTheClock, Daily
from order_entry_gateway.mass_cancel_desk import MassCancelRequest
from order_entry_gateway.phase_desk import BandsRequest, PhaseRequest
from service_runtime.http.openapi import (
    CURSOR,
    LIMIT,
    NEXT,
    Either,
    Maybe,
    Operation,
    Query,
    Sometimes,
    document,
    maybe_each,
)
from venue_protocol.money import AmountInJson
from venue_protocol.order_views import (
    BEFORE_PARAMETER,
    FEES_EXAMPLE,
    NULLABLE_TERMS_EXAMPLE,
    STATUS_PARAMETER,
    TERMS_EXAMPLE,
)

_PLACE = {
    "security": "AAPL",
    "side": "BUY",
    "type": "limit",
    "quantity": 5,
    "price": "99.95",
    "client_order_id": "mine-1",
}
_PLACED = {
    "order_id": 2887,
    "client_order_id": Maybe("mine-1"),
    "status": "new",
    "security": "AAPL",
    "side": "BUY",
    "type": "limit",
    "time_in_force": "GTC",
    "quantity": 5,
    "price": Maybe("99.95"),
    **maybe_each(NULLABLE_TERMS_EXAMPLE),
    **TERMS_EXAMPLE,
    "fees": Maybe(FEES_EXAMPLE),
    "duplicate": False,
    "sequence": 2887,
    "time_us": 1795232926928950,
}
_AMENDED = {
    "order_id": 2887,
    "status": "pending_replace",
    "quantity": 4,
    "price": Maybe("99.95"),
    "duplicate": False,
    "sequence": 2888,
    "time_us": 1795232926962240,
}
_CANCELED = {
    "order_id": 2887,
    "status": "pending_cancel",
    "sequence": 2889,
    "time_us": 1795232926962240,
}
_ORDER = {
    "order_id": 2796,
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
    "reason": Maybe("requested"),
    "accepted_us": 1795232311768300,
    "updated_us": 1795232311768300,
    "triggered_us": Maybe(1795232311768300),
}
_ERROR = {
    "code": "risk.insufficient_funds",
    "message": "…",
    "field": Maybe("quantity"),
    "details": {},
    "request_id": Maybe("…"),
}
_RESULTS = {
    "results": [
        {
            name: Sometimes(value)
            for name, value in (_PLACED | _CANCELED | {"error": _ERROR}).items()
        }
    ]
}
_LOGGED = [{"shard": 0, "sequence": 2894, "time_us": 1795232927369290}]
_SCHEDULE = {
    "mode": "schedule",
    "time_zone": "America/New_York",
    "pre_open": "04:00",
    "opening_auction": "09:28",
    "open": "09:30",
    "closing_auction": "15:55",
    "close": "16:00",
    "weekdays": ["mon", "tue", "wed", "thu", "fri"],
    "holidays": ["2026-12-25"],
}
_SESSION = {
    "phases": [
        {
            "shard": 0,
            "security": Maybe("AAPL"),
            "phase": "halted",
            "reason": Maybe("news"),
            "since_us": 1795232927369290,
            "action_sequence": Maybe(2894),
            "until_us": Maybe(1795232987369290),
            "is_over": False,
        }
    ],
    "bands": [
        {"security": "AAPL", "band_bps": 500, "limit_state_s": 15, "pause_s": 300, "auction_s": 60}
    ],
    "schedule": Either(_SCHEDULE, {"mode": "around_the_clock"}),
    "next": Maybe({"phase": "pre_open", "time_us": 1795424400000000}),
}

_ACTION_TERMS = {
    "new_shares": 2,
    "old_shares": 1,
    "share_price": "52.50",
    "per_share": "0.25",
    "ex_time": "2026-11-21T00:00:00.000000Z",
    "record_time": "2026-11-21T00:00:00.000000Z",
    "pay_time": "2026-12-01T00:00:00.000000Z",
    "new_security": "APPL",
    "keeps_orders": True,
}
_ACTION = {
    "security": "AAPL",
    "action": "split",
    "new_shares": 2,
    "old_shares": 1,
    "share_price": "52.50",
}

_DONE = {
    "action_id": 2894,
    "logged": _LOGGED[0],
    "security": "AAPL",
    "action": "split",
    **{name: Sometimes(value) for name, value in _ACTION_TERMS.items()},
}

_ORDERS = (
    Operation(
        "POST",
        "/v1/orders",
        "Place an order, or a list of them. 201: it is durable and covered.",
        "client",
        {201: _PLACED, 200: Either(_PLACED | {"duplicate": True}, _RESULTS)},
        body=PlaceOrderRequest | list[PlaceOrderRequest],
        body_example=_PLACE,
    ),
    Operation(
        "GET",
        "/v1/orders",
        "Own orders, newest first.",
        "client",
        {200: {"orders": [_ORDER], "next": NEXT}},
        query=(
            Query(*STATUS_PARAMETER),
            CURSOR,
            Query(*BEFORE_PARAMETER),
            LIMIT,
        ),
    ),
    Operation(
        "DELETE",
        "/v1/orders",
        "Cancel all own orders, or those in one security.",
        "client",
        {202: {"status": "pending_cancel", "sequence": 2893, "time_us": 1795232927369290}},
        query=(Query("security", "only in this one", {"type": "string"}),),
    ),
    Operation("GET", "/v1/orders/<order_id>", "Where an order stands.", "client", {200: _ORDER}),
    Operation(
        "DELETE",
        "/v1/orders/<order_id>",
        "Cancel what is left of an order.",
        "client",
        {202: _CANCELED},
    ),
    Operation(
        "PATCH",
        "/v1/orders/<order_id>",
        "Amend an order: new total quantity, new price, or both.",
        "client",
        {202: _AMENDED},
        body=AmendRequest,
        body_example={"quantity": 4, "client_order_id": "amend-1"},
    ),
    Operation(
        "POST",
        "/v1/orders/cancel",
        "Cancel the orders of a list.",
        "client",
        {200: _RESULTS},
        body=CancelListRequest,
        body_example={"client_order_ids": ["mine-1", "mine-2"]},
    ),
    Operation(
        "POST",
        "/v1/commands",
        "Up to 1000 commands of any kind, done in order in one transaction; a result for each.",
        "client",
        {200: _RESULTS},
        body=list[Action],
        body_example=[
            {"action": "place", **_PLACE},
            {
                "action": "place",
                "security": "AAPL",
                "side": "BUY",
                "type": "stop",
                "quantity": 2,
                "stop_price": "110.00",
                "time_in_force": "DAY",
                "self_trade_prevention": "cancel_oldest",
            },
            {"action": "amend", "client_order_id": "mine-1", "quantity": 4},
            {"action": "cancel", "client_order_id": "mine-1"},
            {"action": "cancel_all", "security": "AAPL"},
        ],
    ),
    Operation(
        "POST",
        "/v1/mass-cancels",
        "Cancel the open orders of a client, of a security (or of a client in it), or all.",
        "administrator",
        {202: {"clients": 3}},
        body=MassCancelRequest,
        body_example={"security": "AAPL"},
    ),
    Operation(
        "POST",
        "/v1/cancel-after",
        "Dead man's switch: all own orders are canceled so long after now, unless asked again "
        "before; 0 disarms.",
        "client",
        {
            200: {
                "status": "armed",
                "due_us": Maybe(1795232987369290),
                "due": Maybe("2026-11-21T03:49:47.369290Z"),
            }
        },
        body=CancelAfterRequest,
        body_example={"timeout_ms": 60_000},
    ),
    Operation(
        "GET",
        "/v1/order-entry",
        "The same commands over a WebSocket (docs/order-entry.md).",
        "client",
        {101: None},
    ),
)
_DAY = (
    Operation(
        "GET",
        "/v1/session",
        "Phases and bands commanded last, the schedule, and what comes.",
        "client",
        {200: _SESSION},
    ),
    Operation(
        "POST",
        "/v1/session",
        "Begin a phase: in one security, or in all except those halted one by one.",
        "administrator",
        {202: {"phase": "halted", "security": Maybe("AAPL"), "logged": _LOGGED}},
        body=PhaseRequest,
        body_example={"phase": "halted", "security": "AAPL", "reason": "news"},
    ),
    Operation(
        "POST",
        "/v1/session/bands",
        "Give a security a volatility band; band_bps null takes it away.",
        "administrator",
        {202: {"security": "AAPL", "band_bps": Maybe(500), "logged": _LOGGED}},
        body=BandsRequest,
        body_example={
            "security": "AAPL",
            "band_bps": 500,
            "limit_state_s": 15,
            "pause_s": 300,
            "auction_s": 60,
        },
    ),
    Operation(
        "POST",
        "/v1/actions",
        "Apply a corporate action to a security that is halted or closed. docs/clearing.md.",
        "administrator",
        {202: _DONE},
        body=ActionRequest,
        body_example=_ACTION,
    ),
    Operation(
        "PUT",
        "/v1/session/schedule",
        "Trade by a daily schedule, or around the clock. The phase that a new schedule is in now "
        "begins at once.",
        "administrator",
        {200: _SESSION},
        body=AroundTheClock | Daily,
        body_example=_SCHEDULE,
    ),
)
OPERATIONS = (*_ORDERS, *_DAY, *api_settlement.OPERATIONS)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(
        "Order entry",
        "Orders come in here: checked, covered, logged. More: docs/order-entry.md.",
        OPERATIONS,
        raw_type=AmountInJson,
    )
