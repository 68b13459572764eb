"""What the feed can be asked, for `/docs` and `/openapi.json`."""

from typing import Any

from market_data_feed.adapters import competition_http
from service_runtime.http.openapi import (
    AFTER,
    CURSOR,
    LIMIT,
    NEXT,
    TERMS,
    ByName,
    Maybe,
    Operation,
    Query,
    Sometimes,
    document,
)

_TIME_US, _TIME = 1795232311601670, "2026-11-21T03:38:31.601670Z"
_HOLDING = {"client_id": "ann", "security": "GOOG", "quantity": 47, "held": 0, "available": 47}
_LEVEL = {"price": "105.15", "quantity": 6, "orders": 1}
_SECURITY = {
    "security": "AAPL",
    "name": "Apple Inc.",
    "tick": "0.01",
    "lot": 1,
    "band_bps": 5000,
    "band_low": "50.00",
    "band_high": "150.00",
    "reference_price": "100.00",
    "max_quantity": 1000000,
}
_PRICE = {
    "security": "AAPL",
    "last": Maybe("105.15"),
    "last_quantity": Maybe(2),
    "bid": Maybe("105.10"),
    "bid_quantity": Maybe(10),
    "ask": Maybe("105.20"),
    "ask_quantity": Maybe(6),
    "last_time_us": Maybe(_TIME_US),
    "last_time": Maybe(_TIME),
}
_AS_OF = {"sequence": 3372, "time_us": Maybe(_TIME_US), "time": Maybe(_TIME)}
_TRADE = {
    "trade_id": 417,
    "security": "AAPL",
    "price": "105.15",
    "quantity": 2,
    "aggressor": Maybe("BUY"),
    "time_us": _TIME_US,
    "time": _TIME,
}
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
    **TERMS,
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
    "last_price": Sometimes("104.01"),
    "last_quantity": Sometimes(1),
    "role": Sometimes("taker"),
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
    "role": "taker",
    "time_us": _TIME_US,
    "time": _TIME,
}
_SETTLEMENT = {
    "sequence": 904,
    "client_id": "ann",
    "client_sequence": 31,
    "settlement_kind": "trade",
    "journal_id": 458,
    "cash": "-104.01",
    "shares": 1,
    "balance": "5231.55",
    "security": Maybe("GOOG"),
    "holding": Maybe(47),
    "trade_id": Maybe(425),
    "order_id": Maybe(2796),
    "side": Maybe("BUY"),
    "quantity": Maybe(1),
    "price": Maybe("104.01"),
    "memo": Maybe("deposit"),
    "time_us": _TIME_US,
    "time": _TIME,
    "previous_hash": "76370192c44a02e90c1c58f3bbbfcf601baaee845b53b684b2918e51a7b58c34",
    "hash": "ae2f4637357c033e20c5c046419f32812feb94ca00970a64b41b72ad46b20acd",
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
_STANDING = {
    "client_id": "ann",
    "role": "trader",
    "balance": "5231.55",
    "held": "0.00",
    "holdings": ByName("GOOG", 47),
    "equity": "10091.35",
}
_TRANSFER = {
    "client_id": "ann",
    "from_client_id": "mule",
    "gained": "400.00",
    "trades": 2,
    "shares": 10,
    "traded": "600.00",
}
_PHASE = {"phase": "opening_auction", "reason": Maybe("schedule"), "until_us": Maybe(_TIME_US)}
_SECURITY_SESSION = _PHASE | {
    "indicative_price": Maybe("105.15"),
    "paired_quantity": 6,
    "imbalance_quantity": 4,
    "imbalance_side": Maybe("BUY"),
    "limit_state": Maybe("BUY"),
    "band_low": Maybe("99.75"),
    "band_high": Maybe("110.25"),
}
_STATUS = {
    "status": "ready",
    "waiting_for": ["broker"],
    "behind": ["events.0"],
    "positions": ByName("events.0", 3654),
    "session": {
        "phases": ByName("0", _PHASE),
        "securities": ByName("AAPL", _SECURITY_SESSION),
        "time_us": _TIME_US,
    },
    "time_us": _TIME_US,
    "time": _TIME,
}
LONG_LIMIT = Query(
    "limit",
    "at most so many rows",
    {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000},
)
"""Of lists that most readers want as a whole."""
_CLIENT = Query("client_id", "for an administrator: whose", {"type": "string"})

_ACCOUNTS = (
    Operation(
        "GET",
        "/balance/<client_id>",
        "Cash of a client, as settled.",
        "client",
        {
            200: {
                "client_id": "ann",
                "balance": "5231.55",
                "held": "104.70",
                "available": "5126.85",
                "currency": "USD",
            }
        },
    ),
    Operation(
        "GET",
        "/holdings/<security_id>/<client_id>",
        "Shares of a client in one security; zero if it never had any.",
        "client",
        {200: _HOLDING},
    ),
    Operation(
        "GET",
        "/holdings/<client_id>",
        "All shares of a client.",
        "client",
        {200: {"client_id": "ann", "holdings": [_HOLDING], "next": NEXT}},
        query=(CURSOR, LONG_LIMIT),
    ),
    Operation(
        "GET",
        "/settlement-reports",
        "Every movement of cash and shares, oldest first.",
        "client",
        {200: {"reports": [_SETTLEMENT], "next_after": 904, "next": NEXT}},
        query=(
            AFTER,
            LIMIT,
            _CLIENT,
            Query(
                "format",
                "`ndjson`: one report a line, in its sealed text",
                {"type": "string", "default": "json"},
            ),
        ),
    ),
    Operation(
        "GET",
        "/v1/standings",
        "All accounts with their equity at the marks (docs/market-data.md), the richest first.",
        "administrator",
        {
            200: {
                "time_us": _TIME_US,
                "prices": ByName("AAPL", "105.15"),
                "standings": [_STANDING],
                "next": NEXT,
            }
        },
        query=(Query("after", "only what is ranked behind so many"), LONG_LIMIT),
    ),
    Operation(
        "GET",
        "/v1/transfers",
        "Who gained how much from whom by trading, at the marks; the largest first.",
        "administrator",
        {200: {"time_us": _TIME_US, "transfers": [_TRANSFER], "next": NEXT}},
        query=(AFTER, LIMIT),
    ),
)
_ORDERS = (
    Operation(
        "GET",
        "/v1/orders",
        "Own orders on record, newest first.",
        "client",
        {200: {"orders": [_ORDER], "next": NEXT}},
        query=(
            Query(
                "status",
                "`open` or `all`",
                {"type": "string", "enum": ["open", "all"], "default": "open"},
            ),
            CURSOR,
            Query("before", "the former name of `after`: any order_id"),
            LIMIT,
            _CLIENT,
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
        query=(AFTER, LIMIT, _CLIENT),
    ),
    Operation(
        "GET",
        "/v1/fills",
        "Own fills, oldest first.",
        "client",
        {200: {"fills": [_FILL], "next_after": 3275, "next": NEXT}},
        query=(AFTER, LIMIT, _CLIENT),
    ),
    Operation(
        "GET",
        "/v1/refused-orders",
        "What the door refused, newest first.",
        "client",
        {200: {"refused_orders": [_REFUSED], "next": NEXT}},
        query=(CURSOR, LIMIT, _CLIENT),
    ),
)
_MARKET = (
    Operation(
        "GET",
        "/v1/securities",
        "All securities and their rules.",
        "anybody",
        {200: {"securities": [_SECURITY], "next": NEXT}},
        query=(CURSOR, LONG_LIMIT),
    ),
    Operation(
        "GET",
        "/v1/securities/<security_id>",
        "The rules of one security.",
        "anybody",
        {200: _SECURITY},
    ),
    Operation(
        "GET",
        "/v1/price/<security_id>",
        "Last price, best bid and ask.",
        "anybody",
        {200: _PRICE | _AS_OF},
    ),
    Operation(
        "GET",
        "/v1/book/<security_id>",
        "The best price levels of each side.",
        "anybody",
        {200: {"security": "AAPL", "bids": [_LEVEL], "asks": [_LEVEL]} | _AS_OF},
        query=(
            Query(
                "depth",
                "levels a side",
                {"type": "integer", "minimum": 1, "maximum": 500, "default": 10},
            ),
        ),
    ),
    Operation(
        "GET",
        "/v1/trades/<security_id>",
        "The newest trades, newest first.",
        "anybody",
        {200: {"security": "AAPL", "trades": [_TRADE], "next": NEXT}},
        query=(CURSOR, LIMIT, Query("before", "the former name of `after`: any trade_id")),
    ),
    Operation(
        "GET",
        "/v1/session/<security_id>",
        "The phase of a security, what its auction would do now, and whether its band holds it.",
        "anybody",
        {200: {"security": "AAPL"} | _SECURITY_SESSION},
    ),
    Operation(
        "GET",
        "/v1/status",
        "Whether the feed is up to date, and the trading day's phases.",
        "anybody",
        {200: _STATUS},
    ),
    Operation(
        "GET", "/v1/stream", "The live WebSocket (docs/market-data.md).", "anybody", {101: None}
    ),
    Operation(
        "GET", "/", "The page of the market.", "anybody", {200: None}, media_type="text/html"
    ),
    Operation(
        "GET",
        "/page/<path:name>",
        "Its files.",
        "anybody",
        {200: None},
        media_type="text/javascript",
    ),
)
OPERATIONS = (*_ACCOUNTS, *_ORDERS, *_MARKET, *competition_http.OPERATIONS)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(
        "Market data and accounts",
        "What happened, and what belongs to whom. More: docs/market-data.md.",
        OPERATIONS,
    )
