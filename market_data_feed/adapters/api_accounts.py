"""Balances, holdings, settlement reports and standings, for `/docs`."""

from market_data_feed.adapters.api_queries import LONG_LIMIT, OF_CLIENT
from service_runtime.http.openapi import AFTER, CURSOR, LIMIT, NEXT, ByName, Maybe, Operation, Query

_TIME_US, _TIME = 1795232311601670, "2026-11-21T03:38:31.601670Z"
_HOLDING = {
    "client_id": "ann",
    "security": "GOOG",
    "quantity": 47,
    "held": 0,
    "available": 47,
    "settled": 46,
    "unsettled": 1,
    "borrowed": 0,
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
    "settlement_cycle": Maybe(12),
    "settled_cash": "0.00",
    "settled_shares": 0,
    "open_shares": 0,
    "fee": "0.0521",
    "time_us": _TIME_US,
    "time": _TIME,
    "previous_hash": "76370192c44a02e90c1c58f3bbbfcf601baaee845b53b684b2918e51a7b58c34",
    "hash": "ae2f4637357c033e20c5c046419f32812feb94ca00970a64b41b72ad46b20acd",
}

_STANDING = {
    "client_id": "ann",
    "role": "trader",
    "balance": "5231.55",
    "held": "0.00",
    "holdings": ByName("GOOG", 47),
    "borrowed": ByName("AAPL", 10),
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

_MOMENT_TEXT = {"type": "string", "maxLength": 32}
_MOMENT = {
    "cash": "5231.55",
    "shares_value": "4859.80",
    "cost": "4768.45",
    "unrealised": "91.35",
    "equity": "10091.35",
}
_AMOUNT = {"cause": "fees", "what": "trading fees and rebates", "amount": "-1.2044"}
_MOVEMENT = {
    "number": 31,
    "sequence": 904,
    "journal_id": 458,
    "time_us": _TIME_US,
    "time": _TIME,
    "kind": "trade",
    "cause": "bought",
    "what": "bought 1 GOOG",
    "security": Maybe("GOOG"),
    "shares": 1,
    "price": Maybe("104.01"),
    "gross": "-104.01",
    "fee": "0.00",
    "cash": "-104.01",
    "balance": "5231.55",
    "holding": Maybe(47),
    "realised": "0.00",
    "trade_id": Maybe(425),
    "order_id": Maybe(2796),
    "memo": Maybe("deposit"),
}
_STATEMENT = {
    "client_id": "ann",
    "currency": "USD",
    "from": "2026-11-21T00:00:00.000000Z",
    "to": _TIME,
    "opening": _MOMENT,
    "closing": _MOMENT,
    "cash": [_AMOUNT],
    "paid_in": "10000.00",
    "earned": [_AMOUNT],
    "securities": [
        {
            "security": "GOOG",
            "opening": 0,
            "bought": 50,
            "bought_for": "5087.65",
            "sold": 3,
            "sold_for": "319.20",
            "other": 0,
            "closing": 47,
            "borrowed": 0,
            "unsettled": 0,
            "cost": "4768.45",
            "price": Maybe("103.40"),
            "value": "4859.80",
            "unrealised": "91.35",
            "realised": "13.9410",
            "dividends": "0.00",
        }
    ],
    "unsettled_cash": "0.00",
    "movement_count": 31,
    "last_report": 31,
    "last_hash": "ae2f4637357c033e20c5c046419f32812feb94ca00970a64b41b72ad46b20acd",
    "fits": True,
    "faults": [],
    "movements": [_MOVEMENT],
    "next": NEXT,
}

OPERATIONS = (
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
                "settled": "5335.56",
                "unsettled": "-104.01",
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
            OF_CLIENT,
            Query(
                "format",
                "`ndjson`: one report a line, in its sealed text",
                {"type": "string", "default": "json"},
            ),
        ),
    ),
    Operation(
        "GET",
        "/v1/statements/<client_id>",
        "Why a client has what it has: balances, movements by cause, fees, profit at average cost "
        "(docs/clearing.md). Sums are of the whole period, movements come page by page.",
        "client",
        {200: _STATEMENT},
        query=(
            Query("from", "a moment, or a day (UTC); default: the first movement", _MOMENT_TEXT),
            Query("to", "a moment, or a day, to its end; default: now", _MOMENT_TEXT),
            AFTER,
            LIMIT,
            Query(
                "format",
                "`csv`, or `html` to print: the whole, at most 20,000 movements",
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
        query=(CURSOR, LONG_LIMIT),
    ),
    Operation(
        "GET",
        "/v1/transfers",
        "Who gained how much from whom by trading, at the marks; the largest first.",
        "administrator",
        {200: {"time_us": _TIME_US, "transfers": [_TRANSFER], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
)
