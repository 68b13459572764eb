"""How the venue settles, for `/docs`."""

from order_entry_gateway.settlement_desk import CycleRequest, SettlementRequest
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
        "POST",
        "/v1/settlement/cycles",
        "End the present cycle now. Gross, nothing happens.",
        "administrator",
        {202: {"logged": _LOGGED}},
        body=CycleRequest,
        body_example={},
    ),
)
