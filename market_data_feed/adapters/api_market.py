"""Securities, prices, books, trades, the trading day and the page, for `/docs`."""

from market_data_feed.adapters.api_queries import LONG_LIMIT
from service_runtime.http.openapi import CURSOR, LIMIT, NEXT, ByName, Maybe, Operation, Query

_TIME_US, _TIME = 1795232311601670, "2026-11-21T03:38:31.601670Z"
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
    "status": "good",
    "time_us": _TIME_US,
    "time": _TIME,
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
    "corporate_action": Maybe({"action_id": 2894, "step": "applied", "time_us": _TIME_US}),
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

OPERATIONS = (
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
