"""What can be asked about proposals, for `/docs` and `/openapi.json`."""

from clearinghouse.adapters.requests import DeclineRequest, ProposalRequest, WithdrawalRequest
from service_runtime.http.openapi import AFTER, LIMIT, NEXT, Maybe, Operation, Query

_STATUS = Query("status", "`open`, or `all` (the default)", {"enum": ["open", "all"]})
_OF_CLIENT = Query(
    "client_id",
    "for an administrator: of this client; the default is the caller",
    {"type": "string", "maxLength": 64},
)
_PROPOSAL = {
    "proposal_id": 7,
    "kind": "bust",
    "status": "open",
    "trade_id": Maybe(425),
    "price": Maybe("90.00"),
    "quantity": Maybe(8),
    "client_id": Maybe("ann"),
    "cash": Maybe("25.00"),
    "security": Maybe("AAPL"),
    "shares": Maybe(5),
    "reason": "erroneous price",
    "proposed_by": "administrator",
    "proposed_us": 1795232299579535,
    "decided_by": Maybe("second_administrator"),
    "decided_us": Maybe(1795232301579535),
    "decision_reason": Maybe("the price was good"),
    "journal_id": Maybe(812),
}
_DONE = _PROPOSAL | {"status": "done", "duplicate": False}

OPERATIONS = (
    Operation(
        "POST",
        "/v1/proposals",
        "Propose to bust a trade, to correct its price or quantity, or to fine a client. Nothing "
        "moves before another administrator consents. The same Idempotency-Key again does nothing.",
        "administrator",
        {201: _PROPOSAL | {"duplicate": False}, 200: _PROPOSAL | {"duplicate": True}},
        body=ProposalRequest,
        body_example={"kind": "bust", "trade_id": 425, "reason": "erroneous price"},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "GET",
        "/v1/proposals",
        "What was proposed and what became of it, oldest first; withdrawals asked for by clients "
        "too.",
        "administrator",
        {200: {"proposals": [_PROPOSAL], "next": NEXT}},
        query=(_STATUS, AFTER, LIMIT),
    ),
    Operation(
        "GET",
        "/v1/proposals/<int:proposal_id>",
        "One proposal.",
        "administrator",
        {200: _PROPOSAL},
    ),
    Operation(
        "POST",
        "/v1/proposals/<int:proposal_id>/consent",
        "Do what another one proposed, at once and whole; refused with who lacks what if it is not "
        "covered, and then still open. The same again gives the first answer.",
        "administrator",
        {200: _DONE},
    ),
    Operation(
        "POST",
        "/v1/proposals/<int:proposal_id>/decline",
        "Decide against a proposal; one's own is taken back by it.",
        "administrator",
        {200: _PROPOSAL | {"status": "declined", "duplicate": False}},
        body=DeclineRequest,
        body_example={"reason": "the price was good"},
    ),
    Operation(
        "POST",
        "/v1/withdrawal-requests",
        "Ask to take own cash or shares out of the venue. Nothing is held; it must be available "
        "when an administrator consents. The same Idempotency-Key again does nothing.",
        "client",
        {
            201: _PROPOSAL | {"kind": "withdrawal", "duplicate": False},
            200: _PROPOSAL | {"kind": "withdrawal", "duplicate": True},
        },
        body=WithdrawalRequest,
        body_example={"cash": "100.00"},
        headers=("Idempotency-Key",),
    ),
    Operation(
        "GET",
        "/v1/withdrawal-requests",
        "What the caller asked for, and what became of it; oldest first.",
        "client",
        {200: {"withdrawal_requests": [_PROPOSAL | {"kind": "withdrawal"}], "next": NEXT}},
        query=(AFTER, LIMIT, _OF_CLIENT),
    ),
    Operation(
        "DELETE",
        "/v1/withdrawal-requests/<int:proposal_id>",
        "Take an own request back, while nobody has decided.",
        "client",
        {200: _PROPOSAL | {"kind": "withdrawal", "status": "canceled", "duplicate": False}},
    ),
)
