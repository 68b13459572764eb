"""Obligations and cycles of net settlement, for `/docs`."""

from service_runtime.http.openapi import CURSOR, LIMIT, NEXT, Maybe, Operation

_OBLIGATION = {
    "client_id": "ann",
    "security": "AAPL",
    "cycle": 12,
    "shard": 0,
    "quantity": 6,
    "cash": "-596.00",
    "failed": 0,
    "failing_since": Maybe(11),
    "mark": Maybe("100.2857"),
}
_CYCLE = {
    "number": 12,
    "shard": 0,
    "time_us": 1795232990000000,
    "trades": 2,
    "gross_value": "1404.00",
    "net_cash": "1000.00",
    "net_deliveries": "1002.857",
    "gross_movements": 8,
    "net_movements": 6,
    "fails": 0,
    "cash_saved": Maybe("28.77"),
    "deliveries_saved": Maybe("28.57"),
    "movements_saved": Maybe("25.00"),
}

OPERATIONS = (
    Operation(
        "GET",
        "/v1/obligations/<client_id>",
        "What a client is to get (below zero: to give) when its cycles settle; its balance and "
        "holdings have it already.",
        "client",
        {200: {"client_id": "ann", "obligations": [_OBLIGATION], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
    Operation(
        "GET",
        "/v1/obligations",
        "The same of all clients; in each cycle and security they sum to zero.",
        "administrator",
        {200: {"obligations": [_OBLIGATION], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
    Operation(
        "GET",
        "/v1/settlement-cycles",
        "Cycles that settled, newest first, and what netting saved, in percent.",
        "client",
        {200: {"cycles": [_CYCLE], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
)
