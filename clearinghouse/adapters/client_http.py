"""Clients over HTTP: accounts, keys, limits, suspension, and the record of who changed what."""

import json
from typing import Any

import msgspec
from flask import Flask, Response, request

from clearinghouse.adapters.account_queries import AccountQueries, ClientLine, NumberedAction
from clearinghouse.adapters.requests import ClientChange, ClientRequest, SuspensionRequest
from clearinghouse.administration import Administration
from clearinghouse.client_administration import ClientAdministration
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import body_as
from venue_protocol.identifiers import is_client_id
from venue_protocol.money import format_e4
from venue_protocol.refusals import unknown_client

_client_decoder = msgspec.json.Decoder(ClientRequest)
_change_decoder = msgspec.json.Decoder(ClientChange)
_suspension_decoder = msgspec.json.Decoder(SuspensionRequest)


def add_routes(
    app: Flask,
    administration: Administration,
    clients: ClientAdministration,
    authenticator: Authenticator,
    queries: AccountQueries,
) -> None:
    """Put the routes of clients on `app`."""
    _add_client_routes(app, administration, authenticator, queries)
    _add_change_routes(app, clients, authenticator)
    _add_key_routes(app, clients, authenticator)

    @app.get("/v1/administrative-actions")
    def actions() -> Response:
        authenticator.administrator()
        limit = paging.asked_limit()
        client_id = request.args.get("client_id")
        if client_id is not None and not is_client_id(client_id):
            raise unknown_client(client_id)
        rows = queries.actions(client_id, paging.asked_after(), limit)
        return json_response(paging.page("actions", rows, limit, lambda row: row.number, _action))


def _add_client_routes(
    app: Flask,
    administration: Administration,
    authenticator: Authenticator,
    queries: AccountQueries,
) -> None:
    @app.post("/v1/clients")
    def create_client() -> Response:
        caller = authenticator.administrator()
        body = body_as(_client_decoder)
        key = administration.create_client(
            body.client_id,
            body.role,
            body.cash_e4(),
            body.checked_shares(),
            body.rate_limit_per_second,
            by=caller.client_id,
        )
        return json_response({"client_id": body.client_id, "role": body.role, "api_key": key}, 201)

    @app.get("/v1/clients")
    def list_clients() -> Response:
        authenticator.administrator()
        limit = paging.asked_limit(paging.MOST_ROWS)
        rows = queries.clients(paging.asked_after_name(), limit)
        return json_response(
            paging.page("clients", rows, limit, lambda row: row.client_id, _client)
        )


def _add_key_routes(
    app: Flask, clients: ClientAdministration, authenticator: Authenticator
) -> None:
    @app.post("/v1/clients/<client_id>/keys")
    def add_key(client_id: str) -> Response:
        caller = authenticator.administrator()
        key = clients.add_key(client_id, caller.client_id)
        return json_response({"client_id": client_id, "api_key": key}, 201)

    @app.put("/v1/clients/<client_id>/keys")
    def rotate_keys(client_id: str) -> Response:
        caller = authenticator.administrator()
        key = clients.rotate_keys(client_id, caller.client_id)
        return json_response({"client_id": client_id, "api_key": key})

    @app.delete("/v1/clients/<client_id>/keys")
    def revoke_keys(client_id: str) -> Response:
        caller = authenticator.administrator()
        revoked = clients.revoke_keys(client_id, caller.client_id)
        return json_response({"client_id": client_id, "revoked": revoked})


def _add_change_routes(
    app: Flask, clients: ClientAdministration, authenticator: Authenticator
) -> None:
    @app.patch("/v1/clients/<client_id>")
    def change_client(client_id: str) -> Response:
        caller = authenticator.administrator()
        limit = body_as(_change_decoder).rate_limit_per_second
        clients.set_rate_limit(client_id, limit, caller.client_id)
        return json_response({"client_id": client_id, "rate_limit_per_second": limit})

    @app.put("/v1/clients/<client_id>/suspension")
    def suspend(client_id: str) -> Response:
        caller = authenticator.administrator()
        body = body_as(_suspension_decoder)
        suspension = clients.suspend(client_id, body.reason, caller.client_id)
        return json_response(
            {
                "client_id": client_id,
                "suspended_us": suspension.since_us,
                "suspension_reason": suspension.reason,
            }
        )

    @app.delete("/v1/clients/<client_id>/suspension")
    def resume(client_id: str) -> Response:
        caller = authenticator.administrator()
        was_suspended = clients.resume(client_id, caller.client_id)
        return json_response({"client_id": client_id, "was_suspended": was_suspended})


def _client(client: ClientLine) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "role": client.role,
        "balance": format_e4(client.balance_e4),
        "held": format_e4(client.held_e4),
        "available": format_e4(client.balance_e4 - client.held_e4),
        "rate_limit_per_second": client.rate_limit_per_second,
        "suspended_us": client.suspended_us,
        "suspension_reason": client.suspension_reason,
    }


def _action(row: NumberedAction) -> dict[str, Any]:
    action = row.action
    return {
        "number": row.number,
        "time_us": action.time_us,
        "administrator": action.administrator,
        "action": action.action,
        "client_id": action.client_id,
        "security": action.security_id,
        "reason": action.reason,
        "details": json.loads(action.details),
    }
