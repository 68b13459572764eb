"""What can be asked about stock loans, for `/docs` and `/openapi.json`."""

from clearinghouse.adapters.loans_http import (
    ContributionRequest,
    LoanRequest,
    MarginRulesRequest,
    RecallRequest,
    ShortSellingRequest,
)
from service_runtime.http.openapi import CURSOR, LIMIT, NEXT, Maybe, Operation

_LENT = {"security": "AAPL", "quantity": 10, "journal_id": 47, "duplicate": False}
_RULES = {
    "is_open": True,
    "initial_bps": 15000,
    "maintenance_bps": 13000,
    "fee_bps": 10,
    "call_ms": 60000,
    "pool_bps": 5000,
}
_LOAN = {
    "client_id": "ann",
    "security": "AAPL",
    "quantity": 10,
    "mark": "100.00",
    "value": "1000.00",
    "collateral": "1500.00",
    "initial": "1500.00",
    "maintenance": "1300.00",
    "stage": "open",
    "call": Maybe("margin"),
    "call_due_us": Maybe(1795232299579535),
    "recalled": 0,
}
_LENDABLE = {"security": "AAPL", "available": 990, "lent": 10, "mark": "100.00"}
_CONTRIBUTED = {
    "client_id": "ann",
    "contribution": "100.00",
    "journal_id": 48,
    "duplicate": False,
}

OPERATIONS = (
    Operation(
        "POST",
        "/v1/loans",
        "Borrow shares from the lender's pool, to sell them short; cash is held as collateral. The "
        "same Idempotency-Key again does nothing.",
        "client",
        {201: _LENT, 200: _LENT | {"duplicate": True}},
        body=LoanRequest,
        body_example={"security": "AAPL", "quantity": 10},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "POST",
        "/v1/loan-returns",
        "Return borrowed shares; their collateral is free again. The same Idempotency-Key again "
        "does nothing.",
        "client",
        {201: _LENT, 200: _LENT | {"duplicate": True}},
        body=LoanRequest,
        body_example={"security": "AAPL", "quantity": 10},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "GET",
        "/v1/loans/<client_id>",
        "What a client has borrowed, its collateral, and what is asked of it.",
        "client",
        {200: {"loans": [_LOAN]}},
    ),
    Operation(
        "GET",
        "/v1/loans",
        "Loans of all clients.",
        "administrator",
        {200: {"loans": [_LOAN], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
    Operation(
        "GET",
        "/v1/lendable",
        "Shares in the lender's pool, free and lent.",
        "client",
        {200: {"securities": [_LENDABLE]}},
    ),
    Operation(
        "GET",
        "/v1/margin-rules",
        "What a loan asks for: rates in basis points of its value, the fee for a day.",
        "client",
        {200: _RULES},
    ),
    Operation(
        "PATCH",
        "/v1/margin-rules",
        "Change the rules of loans; what is left out stays.",
        "administrator",
        {200: _RULES},
        body=MarginRulesRequest,
        body_example={"is_open": True, "call_ms": 60000},
    ),
    Operation(
        "PUT",
        "/v1/clients/<client_id>/short-selling",
        "Let one client borrow, or not; null: as for everybody.",
        "administrator",
        {200: {"client_id": "ann", "is_allowed": Maybe(True)}},
        body=ShortSellingRequest,
        body_example={"is_allowed": True},
    ),
    Operation(
        "POST",
        "/v1/loan-recalls",
        "Ask for borrowed shares back; what is not returned in time the clearinghouse buys back.",
        "administrator",
        {
            201: {
                "client_id": "ann",
                "security": "AAPL",
                "recalled": 5,
                "call_due_us": 1795232299579535,
            }
        },
        body=RecallRequest,
        body_example={"client_id": "ann", "security": "AAPL", "quantity": 5},
    ),
    Operation(
        "POST",
        "/v1/default-fund",
        "Move a member's cash into the default fund, or back where cash is below zero. The same "
        "Idempotency-Key again does nothing.",
        "administrator",
        {201: _CONTRIBUTED, 200: _CONTRIBUTED | {"duplicate": True}},
        body=ContributionRequest,
        body_example={"client_id": "ann", "cash": "100.00"},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "GET",
        "/v1/default-fund",
        "What each member has in the default fund.",
        "administrator",
        {200: {"members": [{"client_id": "ann", "contribution": "100.00"}], "next": NEXT}},
        query=(CURSOR, LIMIT),
    ),
)
