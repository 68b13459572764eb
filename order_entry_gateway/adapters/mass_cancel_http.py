"""Cancels by an administrator over HTTP."""

import msgspec
from flask import Flask, Response

from order_entry_gateway.mass_cancel_desk import MassCancelDesk, MassCancelRequest
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import body_as

_decoder = msgspec.json.Decoder(MassCancelRequest)


def add_routes(app: Flask, desk: MassCancelDesk, authenticator: Authenticator) -> None:
    """Put the route on `app`."""

    @app.post("/v1/mass-cancels")
    def mass_cancel() -> Response:
        caller = authenticator.administrator()
        clients = desk.cancel(body_as(_decoder), caller.client_id)
        return json_response({"clients": clients}, 202)
