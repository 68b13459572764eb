"""Stock loans over HTTP: borrow, return, what is borrowed, and the rules."""

import time
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from flask import Flask, Response, request

from clearinghouse.adapters.requests import amount_e4, idempotency_key
from clearinghouse.administration import Receipt
from clearinghouse.client_administration import MOST_REASON
from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.request_rate import RequestRate
from clearinghouse.lending.views import LoanLine, LoanViews, PoolLine
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.request_body import body_as
from venue_protocol.identifiers import ClientId, SecurityId
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.stock_loans import MarginRules, StockLoan, required_e4


class LoanRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/loans and POST /v1/loan-returns."""

    security: SecurityId
    quantity: int


class MarginRulesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PATCH /v1/margin-rules; what is left out stays."""

    is_open: bool | None = None
    initial_bps: int | None = None
    maintenance_bps: int | None = None
    fee_bps: int | None = None
    call_ms: int | None = None
    pool_bps: int | None = None

    def changes(self) -> dict[str, int | bool]:
        """The fields of the rules that are to change."""
        sent: dict[str, int | bool | None] = dict(msgspec.structs.asdict(self))
        call_ms = sent.pop("call_ms")
        sent["call_us"] = None if call_ms is None else call_ms * 1000
        return {name: value for name, value in sent.items() if value is not None}


class ShortSellingRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PUT /v1/clients/{client_id}/short-selling; null: as for everybody."""

    is_allowed: bool | None


class RecallRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/loan-recalls."""

    client_id: ClientId
    security: SecurityId
    quantity: int
    reason: Annotated[str, msgspec.Meta(max_length=MOST_REASON)] | None = None


class ContributionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/default-fund: dollars into it, or back where they are below zero."""

    client_id: ClientId
    cash: msgspec.Raw


_recall_decoder = msgspec.json.Decoder(RecallRequest)
_contribution_decoder = msgspec.json.Decoder(ContributionRequest)
_loan_decoder = msgspec.json.Decoder(LoanRequest)
_rules_decoder = msgspec.json.Decoder(MarginRulesRequest)
_allowed_decoder = msgspec.json.Decoder(ShortSellingRequest)


def add_routes(
    app: Flask,
    desk: LoanDesk,
    administration: LoanAdministration,
    views: LoanViews,
    authenticator: Authenticator,
) -> None:
    """Put the routes of stock loans on `app`."""
    _add_client_routes(app, desk, authenticator)
    _add_organiser_routes(app, administration, authenticator)
    _add_reading_routes(app, views, authenticator)

    @app.get("/v1/margin-rules")
    def rules() -> Response:
        authenticator.caller()
        return json_response(_rules(administration.rules()))

    @app.patch("/v1/margin-rules")
    def set_rules() -> Response:
        caller = authenticator.administrator()
        changes = body_as(_rules_decoder).changes()
        return json_response(_rules(administration.set_rules(changes, caller.client_id)))

    @app.put("/v1/clients/<client_id>/short-selling")
    def allow(client_id: str) -> Response:
        caller = authenticator.administrator()
        is_allowed = body_as(_allowed_decoder).is_allowed
        administration.allow(client_id, is_allowed, caller.client_id)
        return json_response({"client_id": client_id, "is_allowed": is_allowed})


def _add_client_routes(app: Flask, desk: LoanDesk, authenticator: Authenticator) -> None:
    rate = RequestRate(time.monotonic)

    def carried(caller: Caller, move: Callable[[str, str, int, str], Receipt]) -> Response:
        rate.charge(caller.client_id)
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = body_as(_loan_decoder)
        receipt = move(caller.client_id, body.security, body.quantity, key)
        answer = {
            "security": body.security,
            "quantity": body.quantity,
            "journal_id": receipt.journal_id,
            "duplicate": receipt.duplicate,
        }
        return json_response(answer, 200 if receipt.duplicate else 201)

    @app.post("/v1/loans")
    def borrow() -> Response:
        caller = authenticator.caller()
        if caller.is_suspended:
            raise refuse(
                RejectReason.CLIENT_SUSPENDED, "an administrator has suspended this client"
            )
        return carried(caller, desk.borrow)

    @app.post("/v1/loan-returns")
    def return_shares() -> Response:
        return carried(authenticator.caller(), desk.return_shares)


def _add_organiser_routes(
    app: Flask, administration: LoanAdministration, authenticator: Authenticator
) -> None:
    @app.post("/v1/loan-recalls")
    def recall() -> Response:
        caller = authenticator.administrator()
        body = body_as(_recall_decoder)
        loan = administration.recall(
            body.client_id, body.security, body.quantity, body.reason, caller.client_id
        )
        answer = {"client_id": loan.client_id, "security": loan.security_id}
        return json_response(
            answer | {"recalled": loan.recalled, "call_due_us": loan.call_due_us}, 201
        )

    @app.post("/v1/default-fund")
    def contribute() -> Response:
        caller = authenticator.administrator()
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = body_as(_contribution_decoder)
        total_e4, receipt = administration.contribute(
            body.client_id, amount_e4(body.cash, "cash"), key, caller.client_id
        )
        answer = {
            "client_id": body.client_id,
            "contribution": format_e4(total_e4),
            "journal_id": receipt.journal_id,
            "duplicate": receipt.duplicate,
        }
        return json_response(answer, 200 if receipt.duplicate else 201)


def _member(row: tuple[str, int]) -> dict[str, str]:
    return {"client_id": row[0], "contribution": format_e4(row[1])}


def _add_reading_routes(app: Flask, views: LoanViews, authenticator: Authenticator) -> None:
    @app.get("/v1/loans/<client_id>")
    def loans_of_client(client_id: str) -> Response:
        authenticator.may_read(client_id)
        return json_response({"loans": [_loan(line) for line in views.of_client(client_id)]})

    @app.get("/v1/loans")
    def loans() -> Response:
        authenticator.administrator()
        limit = paging.asked_limit(paging.MOST_ROWS)
        rows = views.all(paging.asked_after_name(), limit)
        return json_response(paging.page("loans", rows, limit, lambda row: row.cursor, _loan))

    @app.get("/v1/default-fund")
    def default_fund() -> Response:
        authenticator.administrator()
        after, limit = paging.asked_after_name(), paging.asked_limit(paging.MOST_ROWS)
        rows = [row for row in views.contributions() if row[0] > after]
        return json_response(paging.page("members", rows, limit, lambda row: row[0], _member))

    @app.get("/v1/lendable")
    def lendable() -> Response:
        authenticator.caller()
        return json_response({"securities": [_pool(line) for line in views.pool()]})


def _rules(rules: MarginRules) -> dict[str, Any]:
    return {
        "is_open": rules.is_open,
        "initial_bps": rules.initial_bps,
        "maintenance_bps": rules.maintenance_bps,
        "fee_bps": rules.fee_bps,
        "call_ms": rules.call_us // 1000,
        "pool_bps": rules.pool_bps,
    }


def _loan(line: LoanLine) -> dict[str, Any]:
    loan: StockLoan = line.loan
    return {
        "client_id": loan.client_id,
        "security": loan.security_id,
        "quantity": loan.quantity,
        "mark": format_e4(line.mark_e4),
        "value": format_e4(loan.quantity * line.mark_e4),
        "collateral": format_e4(loan.collateral_e4),
        "initial": format_e4(required_e4(loan.quantity, line.mark_e4, line.rules.initial_bps)),
        "maintenance": format_e4(
            required_e4(loan.quantity, line.mark_e4, line.rules.maintenance_bps)
        ),
        "stage": loan.stage,
        "call": loan.call_kind,
        "call_due_us": loan.call_due_us,
        "recalled": loan.recalled,
    }


def _pool(line: PoolLine) -> dict[str, Any]:
    return {
        "security": line.security_id,
        "available": line.available,
        "lent": line.lent,
        "mark": format_e4(line.mark_e4),
    }
