"""The clearinghouse over HTTP: clients, keys, deposits, securities, ledger entries."""

from typing import Any, Literal

import msgspec
from flask import Flask, Response, request

from clearinghouse.administration import Administration
from service_runtime.database import Database
from service_runtime.http.application import json_response, query_whole
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import amount_e4, body_as
from venue_protocol.holds import CASH
from venue_protocol.identifiers import ClientId, SecurityId
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security

_MOST_SHARES = 10**12
_MOST_ENTRIES = 1000
_NO_CASH = msgspec.Raw(b"null")
"""Not `Raw | None`: in a union msgspec takes Raw for no alternative at all."""


class ClientRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/clients."""

    client_id: ClientId
    role: Literal["trader", "market_maker", "administrator"] = "trader"
    cash: msgspec.Raw = _NO_CASH
    shares: dict[SecurityId, int] = {}
    rate_limit_per_second: int | None = None


class DepositRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/deposits: cash, or security and shares."""

    client_id: ClientId
    cash: msgspec.Raw = _NO_CASH
    security: SecurityId | None = None
    shares: int | None = None


class SecurityRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/securities."""

    security: SecurityId
    name: str
    reference_price: msgspec.Raw
    tick: msgspec.Raw = msgspec.Raw(b'"0.01"')
    lot: int = 1
    band_bps: int = 5000
    max_quantity: int = 1_000_000
    issued_shares: int = 0


_client_decoder = msgspec.json.Decoder(ClientRequest)
_deposit_decoder = msgspec.json.Decoder(DepositRequest)
_security_decoder = msgspec.json.Decoder(SecurityRequest)


def add_routes(
    app: Flask, administration: Administration, authenticator: Authenticator, clearing: Database
) -> None:
    """Put the clearinghouse's routes on `app`."""
    _add_client_routes(app, administration, authenticator, clearing)
    _add_security_routes(app, administration, authenticator, clearing)

    @app.post("/v1/deposits")
    def deposit() -> Response:
        authenticator.administrator()
        key = request.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= 128 or not key.isprintable():
            raise refuse(
                RejectReason.MISSING_FIELD, "send an Idempotency-Key header of 1 to 128 characters"
            )
        asset, amount, client_id = _deposit_of(body_as(_deposit_decoder))
        receipt = administration.deposit(client_id, asset, amount, key)
        return json_response(
            {
                "client_id": client_id,
                "journal_id": receipt.journal_id,
                "duplicate": receipt.duplicate,
            },
            200 if receipt.duplicate else 201,
        )

    @app.get("/v1/ledger-entries/<client_id>")
    def ledger_entries(client_id: str) -> Response:
        authenticator.may_read(client_id)
        after = query_whole("after", 0, 0, 2**62)
        limit = query_whole("limit", 100, 1, _MOST_ENTRIES)
        return json_response({"entries": _read_entries(clearing, client_id, after, limit)})


def _add_client_routes(
    app: Flask, administration: Administration, authenticator: Authenticator, clearing: Database
) -> None:
    @app.post("/v1/clients")
    def create_client() -> Response:
        authenticator.administrator()
        body = body_as(_client_decoder)
        cash_e4 = None if body.cash == _NO_CASH else amount_e4(body.cash, "cash")
        if cash_e4 is not None and cash_e4 < 0:
            raise refuse(RejectReason.AMOUNT_NOT_POSITIVE, "cash is below zero", "cash")
        for security_id, quantity in body.shares.items():
            _check_shares(quantity)
            _require_security(clearing, security_id)
        if body.rate_limit_per_second is not None and not 1 <= body.rate_limit_per_second <= 10**6:
            raise refuse(RejectReason.INVALID_FIELD, "rate_limit_per_second is from 1 to 1000000")
        key = administration.create_client(
            body.client_id, body.role, cash_e4, body.shares, body.rate_limit_per_second
        )
        return json_response({"client_id": body.client_id, "role": body.role, "api_key": key}, 201)

    @app.get("/v1/clients")
    def list_clients() -> Response:
        authenticator.administrator()
        with clearing.transaction() as cursor:
            cursor.execute(
                "SELECT client_id, role, balance_e4, held_e4 FROM clients JOIN accounts USING "
                "(client_id)"
                " WHERE role <> 'venue' ORDER BY client_id"
            )
            rows = cursor.fetchall()
        return json_response(
            {
                "clients": [
                    {
                        "client_id": client_id,
                        "role": role,
                        "balance": format_e4(balance_e4),
                        "held": format_e4(held_e4),
                        "available": format_e4(balance_e4 - held_e4),
                    }
                    for client_id, role, balance_e4, held_e4 in rows
                ]
            }
        )

    @app.post("/v1/clients/<client_id>/keys")
    def add_key(client_id: str) -> Response:
        authenticator.administrator()
        return json_response(
            {"client_id": client_id, "api_key": administration.add_key(client_id)}, 201
        )

    @app.delete("/v1/clients/<client_id>/keys")
    def revoke_keys(client_id: str) -> Response:
        authenticator.administrator()
        return json_response(
            {"client_id": client_id, "revoked": administration.revoke_keys(client_id)}
        )


def _add_security_routes(
    app: Flask, administration: Administration, authenticator: Authenticator, clearing: Database
) -> None:
    @app.get("/v1/securities")
    def securities() -> Response:
        with clearing.transaction() as cursor:
            cursor.execute(
                "SELECT security_id, name, tick_e4, lot, band_bps, reference_price_e4, "
                "max_quantity FROM securities"
                " ORDER BY security_id"
            )
            rows = cursor.fetchall()
        return json_response(
            {
                "securities": [
                    {
                        "security": security_id,
                        "name": name,
                        "tick": format_e4(tick_e4),
                        "lot": lot,
                        "band_bps": band_bps,
                        "reference_price": format_e4(reference_price_e4),
                        "max_quantity": max_quantity,
                    }
                    for security_id, name, tick_e4, lot, band_bps, reference_price_e4, max_quantity in rows
                ]
            }
        )

    @app.post("/v1/securities")
    def list_security() -> Response:
        authenticator.administrator()
        body = body_as(_security_decoder)
        security = _security_of(body)
        administration.list_security(security, _check_shares(body.issued_shares))
        return json_response({"security": security.security_id}, 201)


def _deposit_of(body: DepositRequest) -> tuple[str, int, str]:
    """Asset, amount and client of a deposit request."""
    if body.cash != _NO_CASH and body.security is None and body.shares is None:
        return CASH, amount_e4(body.cash, "cash"), body.client_id
    if body.cash == _NO_CASH and body.security is not None and body.shares is not None:
        if body.shares > _MOST_SHARES:
            raise refuse(RejectReason.INVALID_FIELD, f"shares is at most {_MOST_SHARES}", "shares")
        return body.security, body.shares, body.client_id
    raise refuse(RejectReason.MISSING_FIELD, "send either cash, or security and shares")


def _check_shares(quantity: int) -> int:
    if not 0 <= quantity <= _MOST_SHARES:
        raise refuse(RejectReason.INVALID_FIELD, f"shares is from 0 to {_MOST_SHARES}", "shares")
    return quantity


def _require_security(clearing: Database, security_id: str) -> None:
    with clearing.transaction() as cursor:
        cursor.execute("SELECT 1 FROM securities WHERE security_id = %s", (security_id,))
        if cursor.fetchone() is None:
            raise refuse(RejectReason.UNKNOWN_SECURITY, f"no security {security_id!r}", "shares")


def _security_of(body: SecurityRequest) -> Security:
    if not body.name.isprintable():
        raise refuse(
            RejectReason.INVALID_FIELD, "name has a character that can't be printed", "name"
        )
    tick_e4 = amount_e4(body.tick, "tick")
    reference_price_e4 = amount_e4(body.reference_price, "reference_price")
    if tick_e4 <= 0 or reference_price_e4 <= 0 or reference_price_e4 % tick_e4:
        raise refuse(
            RejectReason.INVALID_FIELD,
            "tick and reference_price are above zero, the price on the tick",
            "tick",
        )
    if not (
        1 <= body.lot <= 10**6 and 1 <= body.max_quantity <= 10**9 and 1 <= body.band_bps <= 10_000
    ):
        raise refuse(
            RejectReason.INVALID_FIELD, "lot, max_quantity or band_bps is out of range", "lot"
        )
    return Security(
        body.security,
        body.name[:200],
        0,
        tick_e4,
        body.lot,
        body.band_bps,
        reference_price_e4,
        body.max_quantity,
    )


def _read_entries(
    clearing: Database, client_id: str, after: int, limit: int
) -> list[dict[str, Any]]:
    """A client's ledger entries of the journals after `after`, oldest first.

    The journals are found by its reports.
    """
    with clearing.transaction() as cursor:
        cursor.execute(
            "SELECT journal_id, leg, asset, amount, journal_kind, trade_id, time_us FROM "
            "ledger_entries"
            " WHERE client_id = %(client)s AND journal_id IN"
            " (SELECT DISTINCT (report::json->>'journal_id')::bigint FROM settlement_reports"
            "  WHERE client_id = %(client)s AND (report::json->>'journal_id')::bigint > %(after)s"
            "  ORDER BY 1 LIMIT %(limit)s)"
            " ORDER BY journal_id, leg LIMIT %(limit)s",
            {"client": client_id, "after": after, "limit": limit},
        )
        rows = cursor.fetchall()
    return [
        {
            "journal_id": journal_id,
            "leg": leg,
            "asset": asset,
            "amount": format_e4(amount) if asset == CASH else amount,
            "kind": kind,
            "trade_id": trade_id,
            "time_us": time_us,
        }
        for journal_id, leg, asset, amount, kind, trade_id, time_us in rows
    ]
