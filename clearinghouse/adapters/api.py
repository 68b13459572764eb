"""What the clearinghouse can be asked, for `/docs` and `/openapi.json`."""

from typing import Any

from clearinghouse.adapters import api_loans, api_proposals, trial_balance
from clearinghouse.adapters.requests import (
    ClientChange,
    ClientRequest,
    SecurityRequest,
    SuspensionRequest,
    TransferRequest,
)
from client_enrollment import http as enrollment_http
from service_runtime.http.openapi import (
    AFTER,
    CURSOR,
    LIMIT,
    NEXT,
    Either,
    Maybe,
    Operation,
    Query,
    document,
)
from trading_fees import http as fees_http
from venue_protocol.money import AmountInJson

_WIDE_LIMIT = Query(LIMIT.name, LIMIT.says, {**LIMIT.schema, "default": 1000})
_OF_CLIENT = Query(
    "client_id", "only what was done to this client", {"type": "string", "maxLength": 64}
)

_SECURITY = {
    "security": "AAPL",
    "name": "Apple Inc.",
    "tick": "0.01",
    "lot": 1,
    "band_bps": 1000,
    "reference_price": "100.00",
    "max_quantity": 1000000,
}
_CLIENT = {
    "client_id": "ann",
    "role": "trader",
    "balance": "10000.00",
    "held": "499.75",
    "available": "9500.25",
    "rate_limit_per_second": Maybe(100),
    "suspended_us": Maybe(1795232299579535),
    "suspension_reason": Maybe("trades with itself"),
}
_ACTION = {
    "number": 12,
    "time_us": 1795232299579535,
    "administrator": "administrator",
    "action": "suspend",
    "client_id": Maybe("ann"),
    "security": Maybe("AAPL"),
    "reason": Maybe("trades with itself"),
    "details": {},
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

_OF_THE_LEDGER = (
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
        {200: {"clients": [_CLIENT], "next": NEXT}},
        query=(CURSOR, _WIDE_LIMIT),
    ),
    Operation(
        "PATCH",
        "/v1/clients/<client_id>",
        "Set a client's own rate limit, orders per second; null: the one that each client has.",
        "administrator",
        {200: {"client_id": "ann", "rate_limit_per_second": Maybe(100)}},
        body=ClientChange,
        body_example={"rate_limit_per_second": 100},
    ),
    Operation(
        "PUT",
        "/v1/clients/<client_id>/suspension",
        "Suspend a client: its open orders are canceled, new ones refused; its keys still read. "
        "Refused for the last administrator.",
        "administrator",
        {
            200: {
                "client_id": "ann",
                "suspended_us": 1795232299579535,
                "suspension_reason": Maybe("trades with itself"),
            }
        },
        body=SuspensionRequest,
        body_example={"reason": "trades with itself"},
    ),
    Operation(
        "DELETE",
        "/v1/clients/<client_id>/suspension",
        "Take a suspended client's orders again.",
        "administrator",
        {200: {"client_id": "ann", "was_suspended": True}},
    ),
    Operation(
        "GET",
        "/v1/administrative-actions",
        "What administrators did, to whom, when and why; oldest first.",
        "administrator",
        {200: {"actions": [_ACTION], "next": NEXT}},
        query=(AFTER, LIMIT, _OF_CLIENT),
    ),
    Operation(
        "POST",
        "/v1/clients/<client_id>/keys",
        "Another key for a client.",
        "administrator",
        {201: {"client_id": "ann", "api_key": "vk_…"}},
    ),
    Operation(
        "PUT",
        "/v1/clients/<client_id>/keys",
        "One new key for a client instead of all that it has.",
        "administrator",
        {200: {"client_id": "ann", "api_key": "vk_…"}},
    ),
    Operation(
        "DELETE",
        "/v1/clients/<client_id>/keys",
        "Revoke all keys of a client; refused for the last administrator with a key.",
        "administrator",
        {200: {"client_id": "ann", "revoked": 2}},
    ),
    *fees_http.OPERATIONS,
    Operation(
        "POST",
        "/v1/deposits",
        "Give cash from outside, or shares from the issuer. The same Idempotency-Key again does "
        "nothing.",
        "administrator",
        {201: _DEPOSITED, 200: _DEPOSITED | {"duplicate": True}},
        body=TransferRequest,
        body_example={"client_id": "ann", "cash": "100.00"},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "POST",
        "/v1/withdrawals",
        "Take cash out, or shares back to the issuer; never what an open order holds. The same "
        "Idempotency-Key again does nothing.",
        "administrator",
        {201: _DEPOSITED, 200: _DEPOSITED | {"duplicate": True}},
        body=TransferRequest,
        body_example={"client_id": "ann", "cash": "100.00"},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "GET",
        "/v1/securities",
        "All securities, by name.",
        "anybody",
        {200: {"securities": [_SECURITY], "next": NEXT}},
        query=(CURSOR, _WIDE_LIMIT),
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
        "A client's legs of the double entry, oldest first: dollars as a string, shares as a whole "
        "number; `after` may also be a journal.",
        "client",
        {200: {"entries": [_ENTRY], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
    *api_proposals.OPERATIONS,
)


OPERATIONS = (
    *_OF_THE_LEDGER,
    *trial_balance.OPERATIONS,
    *api_loans.OPERATIONS,
    *enrollment_http.OPERATIONS,
)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(
        "Clearinghouse",
        "For the organiser: clients, keys, deposits, securities. More: docs/organising.md.",
        OPERATIONS,
        raw_type=AmountInJson,
    )
