"""The clearinghouse over HTTP: deposits, withdrawals, securities, ledger entries.

Clients are in `client_http`.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask, Response, request

from clearinghouse.adapters import client_http
from clearinghouse.adapters.account_queries import LAST_LEG, AccountQueries, EntryLine
from clearinghouse.adapters.requests import SecurityRequest, TransferRequest, idempotency_key
from clearinghouse.administration import Administration, Receipt
from clearinghouse.client_administration import ClientAdministration
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import body_as
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4
from venue_protocol.securities import Security

_transfer_decoder = msgspec.json.Decoder(TransferRequest)
_security_decoder = msgspec.json.Decoder(SecurityRequest)


def add_routes(
    app: Flask,
    administration: Administration,
    clients: ClientAdministration,
    authenticator: Authenticator,
    queries: AccountQueries,
) -> None:
    """Put the clearinghouse's routes on `app`."""
    client_http.add_routes(app, administration, clients, authenticator, queries)
    _add_security_routes(app, administration, authenticator, queries)
    _add_transfer_routes(app, administration, authenticator)

    @app.get("/v1/ledger-entries/<client_id>")
    def ledger_entries(client_id: str) -> Response:
        authenticator.may_read(client_id)
        limit = paging.asked_limit()
        after = paging.asked_after_parts((0, LAST_LEG))
        rows = queries.entries(client_id, after, limit)
        return json_response(
            paging.page("entries", rows, limit, lambda row: (row.journal_id, row.leg), _entry)
        )


def _add_transfer_routes(
    app: Flask, administration: Administration, authenticator: Authenticator
) -> None:
    def carried(move: Callable[[str, str, int, str, str], Receipt]) -> Response:
        caller = authenticator.administrator()
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = body_as(_transfer_decoder)
        asset, amount = body.asset_and_amount()
        receipt = move(body.client_id, asset, amount, key, caller.client_id)
        return json_response(
            {
                "client_id": body.client_id,
                "journal_id": receipt.journal_id,
                "duplicate": receipt.duplicate,
            },
            200 if receipt.duplicate else 201,
        )

    @app.post("/v1/deposits")
    def deposit() -> Response:
        return carried(administration.deposit)

    @app.post("/v1/withdrawals")
    def withdraw() -> Response:
        return carried(administration.withdraw)


def _add_security_routes(
    app: Flask,
    administration: Administration,
    authenticator: Authenticator,
    queries: AccountQueries,
) -> None:
    @app.get("/v1/securities")
    def securities() -> Response:
        limit = paging.asked_limit(paging.MOST_ROWS)
        rows = queries.securities(paging.asked_after_name(), limit)
        return json_response(
            paging.page("securities", rows, limit, lambda row: row.security_id, _security)
        )

    @app.post("/v1/securities")
    def list_security() -> Response:
        caller = authenticator.administrator()
        body = body_as(_security_decoder)
        security = body.listed()
        administration.list_security(security, body.issued_shares, caller.client_id)
        return json_response({"security": security.security_id}, 201)


def _security(security: Security) -> dict[str, Any]:
    return {
        "security": security.security_id,
        "name": security.name,
        "tick": format_e4(security.tick_e4),
        "lot": security.lot,
        "band_bps": security.band_bps,
        "reference_price": format_e4(security.reference_price_e4),
        "max_quantity": security.max_quantity,
    }


def _entry(entry: EntryLine) -> dict[str, Any]:
    return {
        "journal_id": entry.journal_id,
        "leg": entry.leg,
        "asset": entry.asset,
        "amount": format_e4(entry.amount) if entry.asset == CASH else entry.amount,
        "kind": entry.journal_kind,
        "trade_id": entry.trade_id,
        "time_us": entry.time_us,
    }
