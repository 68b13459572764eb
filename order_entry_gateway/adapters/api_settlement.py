"""How the venue settles, for `/docs`."""

from order_entry_gateway.settlement_desk import (
    BuyInRequest,
    CycleRequest,
    ExemptionRequest,
    SettlementRequest,
)
from service_runtime.http.openapi import Maybe, Operation

_LOGGED = [{"shard": 0, "sequence": 1042, "time_us": 1795232987369290}]
_SHARD = {
    "shard": 0,
    "mode": "net",
    "every_s": Maybe(5),
    "at_close": False,
    "lag": 0,
    "since_us": Maybe(1795232987369290),
    "next_us": Maybe(1795232990000000),
}

OPERATIONS = (
    Operation(
        "GET",
        "/v1/settlement",
        "How each shard settles: trade by trade (gross), or netted in cycles (net).",
        "client",
        {200: {"shards": [_SHARD]}},
    ),
    Operation(
        "POST",
        "/v1/settlement",
        "Settle so from here on. Back to gross, what is open settles at once.",
        "administrator",
        {202: {"mode": "net", "logged": _LOGGED}},
        body=SettlementRequest,
        body_example={"mode": "net", "every_s": 5, "at_close": False, "lag": 0},
    ),
    Operation(
        "PUT",
        "/v1/delivery-exemptions",
        "Keep own shares of a security from delivery in cycles; the deposit is held and pays for "
        "the fails.",
        "client",
        {202: {"logged": _LOGGED}},
        body=ExemptionRequest,
        body_example={"security": "AAPL", "quantity": 10, "deposit": "5.00"},
    ),
    Operation(
        "POST",
        "/v1/buy-ins",
        "Ask for shares that others did not deliver: first in line now, delivered by force in two "
        "cycles.",
        "client",
        {202: {"logged": _LOGGED}},
        body=BuyInRequest,
        body_example={"security": "AAPL"},
    ),
    Operation(
        "POST",
        "/v1/settlement/cycles",
        "End the present cycle now. Gross, nothing happens.",
        "administrator",
        {202: {"logged": _LOGGED}},
        body=CycleRequest,
        body_example={},
    ),
)
