"""What the clearinghouse can be asked, for `/docs` and `/openapi.json`."""

from typing import Any

from clearinghouse.adapters.http import ClientRequest, DepositRequest, SecurityRequest
from service_runtime.http.openapi import AFTER, LIMIT, Either, Maybe, Operation, document

_SECURITY = {
    "security": "AAPL",
    "name": "Apple Inc.",
    "tick": "0.01",
    "lot": 1,
    "band_bps": 5000,
    "reference_price": "100.00",
    "max_quantity": 1000000,
}
_CLIENT = {
    "client_id": "ann",
    "role": "trader",
    "balance": "10000.00",
    "held": "499.75",
    "available": "9500.25",
}
_ENTRY = {
    "journal_id": 20,
    "leg": 2,
    "asset": "USD",
    "amount": Either("10000.00", 4),
    "kind": "deposit",
    "trade_id": Maybe(425),
    "time_us": 1795232299579535,
}
_DEPOSITED = {"client_id": "ann", "journal_id": 47, "duplicate": False}

OPERATIONS = (
    Operation(
        "POST",
        "/v1/clients",
        "Make a client; its key is in the answer, this once.",
        "administrator",
        {201: {"client_id": "ann", "role": "trader", "api_key": "vk_…"}},
        body=ClientRequest,
        body_example={
            "client_id": "maker",
            "role": "market_maker",
            "cash": "50000.00",
            "shares": {"AAPL": 100},
        },
    ),
    Operation(
        "GET",
        "/v1/clients",
        "All clients with their cash.",
        "administrator",
        {200: {"clients": [_CLIENT]}},
    ),
    Operation(
        "POST",
        "/v1/clients/<client_id>/keys",
        "Another key for a client.",
        "administrator",
        {201: {"client_id": "ann", "api_key": "vk_…"}},
    ),
    Operation(
        "DELETE",
        "/v1/clients/<client_id>/keys",
        "Revoke all keys of a client.",
        "administrator",
        {200: {"client_id": "ann", "revoked": 2}},
    ),
    Operation(
        "POST",
        "/v1/deposits",
        "Give cash from outside, or shares from the issuer. The same Idempotency-Key again does "
        "nothing.",
        "administrator",
        {201: _DEPOSITED, 200: _DEPOSITED | {"duplicate": True}},
        body=DepositRequest,
        body_example={"client_id": "ann", "cash": "100.00"},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "GET", "/v1/securities", "All securities.", "anybody", {200: {"securities": [_SECURITY]}}
    ),
    Operation(
        "POST",
        "/v1/securities",
        "List a security; its shares go to the issuer.",
        "administrator",
        {201: {"security": "NVDA"}},
        body=SecurityRequest,
        body_example={
            "security": "NVDA",
            "name": "NVIDIA",
            "reference_price": "180.00",
            "issued_shares": 1000000,
        },
    ),
    Operation(
        "GET",
        "/v1/ledger-entries/<client_id>",
        "A client's legs of the double entry: dollars as a string, shares as a whole number; "
        "`after` is a journal.",
        "client",
        {200: {"entries": [_ENTRY]}},
        query=(AFTER, LIMIT),
    ),
)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(
        "Clearinghouse",
        "For the organiser: clients, keys, deposits, securities. More: docs/organising.md.",
        OPERATIONS,
    )
