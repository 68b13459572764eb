"""Proposals over HTTP: busts, corrections and fines of administrators, withdrawals of clients."""

from typing import Any

import msgspec
from flask import Flask, Response, request

from clearinghouse.adapters.proposal_queries import ProposalQueries
from clearinghouse.adapters.requests import (
    DeclineRequest,
    ProposalRequest,
    WithdrawalRequest,
    idempotency_key,
)
from clearinghouse.proposal_desk import Answer, ProposalDesk
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import body_as
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4
from venue_protocol.proposals import TradeBust, TradeCorrection, Withdrawal, decode
from venue_protocol.refusals import RejectReason, refuse
from venue_storage.clearing_rows import ProposalRow

_NUMBER_END = 1 << 53

_proposal_decoder = msgspec.json.Decoder(ProposalRequest)
_decline_decoder = msgspec.json.Decoder(DeclineRequest)
_withdrawal_decoder = msgspec.json.Decoder(WithdrawalRequest)


def add_routes(
    app: Flask, desk: ProposalDesk, authenticator: Authenticator, queries: ProposalQueries
) -> None:
    """Put the routes of proposals on `app`."""
    _add_administrators_routes(app, desk, authenticator, queries)
    _add_clients_routes(app, desk, authenticator, queries)


def _add_administrators_routes(
    app: Flask, desk: ProposalDesk, authenticator: Authenticator, queries: ProposalQueries
) -> None:
    @app.post("/v1/proposals")
    def propose() -> Response:
        caller = authenticator.administrator()
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = body_as(_proposal_decoder)
        answer = desk.propose(body.proposed(), body.reason, key, caller.client_id)
        return _answered(answer, 200 if answer.is_duplicate else 201)

    @app.get("/v1/proposals")
    def proposals() -> Response:
        authenticator.administrator()
        status = request.args.get("status", "all")
        if status not in ("open", "all"):
            raise refuse(
                RejectReason.INVALID_FIELD,
                "status must be open or all",
                "status",
                value=status[:64],
            )
        limit = paging.asked_limit()
        rows = queries.page(paging.asked_after(), limit, is_open=status == "open")
        return json_response(
            paging.page("proposals", rows, limit, lambda row: row.proposal_id, view)
        )

    @app.get("/v1/proposals/<int:proposal_id>")
    def proposal(proposal_id: int) -> Response:
        authenticator.administrator()
        found = queries.one(_number(proposal_id))
        if found is None:
            raise refuse(RejectReason.UNKNOWN_PROPOSAL, f"no proposal {proposal_id}")
        return json_response(view(found))

    @app.post("/v1/proposals/<int:proposal_id>/consent")
    def consent(proposal_id: int) -> Response:
        caller = authenticator.administrator()
        return _answered(desk.consent(_number(proposal_id), caller.client_id), 200)

    @app.post("/v1/proposals/<int:proposal_id>/decline")
    def decline(proposal_id: int) -> Response:
        caller = authenticator.administrator()
        reason = body_as(_decline_decoder).reason
        return _answered(desk.decline(_number(proposal_id), caller.client_id, reason), 200)


def _add_clients_routes(
    app: Flask, desk: ProposalDesk, authenticator: Authenticator, queries: ProposalQueries
) -> None:
    @app.post("/v1/withdrawal-requests")
    def ask_for_withdrawal() -> Response:
        caller = authenticator.caller()
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = body_as(_withdrawal_decoder)
        answer = desk.propose(body.of(caller.client_id), body.reason, key, caller.client_id)
        return _answered(answer, 200 if answer.is_duplicate else 201)

    @app.get("/v1/withdrawal-requests")
    def withdrawal_requests() -> Response:
        client_id = request.args.get("client_id") or authenticator.caller().client_id
        authenticator.may_read(client_id)
        limit = paging.asked_limit()
        rows = queries.requests(client_id, paging.asked_after(), limit)
        return json_response(
            paging.page("withdrawal_requests", rows, limit, lambda row: row.proposal_id, view)
        )

    @app.delete("/v1/withdrawal-requests/<int:proposal_id>")
    def cancel_request(proposal_id: int) -> Response:
        caller = authenticator.caller()
        return _answered(desk.cancel_request(_number(proposal_id), caller.client_id), 200)


def view(row: ProposalRow) -> dict[str, Any]:
    """A proposal as it is shown; every field is there, null where it has no meaning."""
    proposed = decode(row.details)
    cash_e4 = price_e4 = security = shares = quantity = None
    if isinstance(proposed, TradeCorrection):
        price_e4, quantity = proposed.price_e4, proposed.quantity
    elif isinstance(proposed, Withdrawal) and proposed.asset != CASH:
        security, shares = proposed.asset, proposed.amount
    elif isinstance(proposed, Withdrawal):
        cash_e4 = proposed.amount
    elif not isinstance(proposed, TradeBust):
        cash_e4 = proposed.cash_e4
    return {
        "proposal_id": row.proposal_id,
        "kind": row.proposal_kind,
        "status": row.status,
        "trade_id": row.trade_id,
        "price": None if price_e4 is None else format_e4(price_e4),
        "quantity": quantity,
        "client_id": row.client_id,
        "cash": None if cash_e4 is None else format_e4(cash_e4),
        "security": security,
        "shares": shares,
        "reason": row.reason,
        "proposed_by": row.proposed_by,
        "proposed_us": row.proposed_us,
        "decided_by": row.decided_by,
        "decided_us": row.decided_us,
        "decision_reason": row.decision_reason,
        "journal_id": row.journal_id,
    }


def _answered(answer: Answer, status: int) -> Response:
    return json_response(view(answer.proposal) | {"duplicate": answer.is_duplicate}, status)


def _number(proposal_id: int) -> int:
    """The number, if a proposal could have it: no statement could be asked for a larger one."""
    if proposal_id >= _NUMBER_END:
        raise refuse(RejectReason.UNKNOWN_PROPOSAL, f"no proposal {proposal_id}")
    return proposal_id
