"""How the venue settles, over REST: everybody may read it, administrators command it."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask, Response

from order_entry_gateway.adapters.session_store import SessionStore
from order_entry_gateway.settlement_desk import (
    BuyInRequest,
    CycleRequest,
    ExemptionRequest,
    SettlementModeDesk,
    SettlementRequest,
)
from service_runtime.clock import Clock
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.request_body import body_as
from venue_protocol.settlement_modes import SettlementRow, next_cycle_us

_mode_decoder = msgspec.json.Decoder(SettlementRequest)
_exempt_decoder = msgspec.json.Decoder(ExemptionRequest)
_buy_in_decoder = msgspec.json.Decoder(BuyInRequest)
_cycle_decoder = msgspec.json.Decoder(CycleRequest)


def add_routes(
    app: Flask,
    desk: SettlementModeDesk,
    store: SessionStore,
    authenticator: Authenticator,
    clock: Clock,
    charge: Callable[[Caller], object],
) -> None:
    """Put the routes on `app`. `charge` counts a read against its caller's rate."""

    @app.get("/v1/settlement")
    def settlement() -> Response:
        charge(authenticator.caller())
        now_us = clock.now_us()
        return json_response({"shards": [_view(row, now_us) for row in store.settlements()]})

    @app.post("/v1/settlement")
    def set_mode() -> Response:
        caller = authenticator.administrator()
        request = body_as(_mode_decoder)
        logged = desk.set(caller.client_id, request)
        return json_response({"mode": request.mode, "logged": logged}, 202)

    @app.put("/v1/delivery-exemptions")
    def exempt() -> Response:
        caller = authenticator.caller()
        charge(caller)
        return json_response(
            {"logged": desk.exempt(caller.client_id, body_as(_exempt_decoder))}, 202
        )

    @app.post("/v1/buy-ins")
    def notify_buy_in() -> Response:
        caller = authenticator.caller()
        charge(caller)
        logged = desk.notify_buy_in(caller.client_id, body_as(_buy_in_decoder))
        return json_response({"logged": logged}, 202)

    @app.post("/v1/settlement/cycles")
    def start_cycle() -> Response:
        caller = authenticator.administrator()
        body_as(_cycle_decoder)
        return json_response({"logged": desk.start_cycle(caller.client_id)}, 202)


def _view(row: SettlementRow, now_us: int) -> dict[str, Any]:
    every_us = row.interval_us
    return {
        "shard": row.shard,
        "mode": row.mode,
        "every_s": None if every_us is None else every_us // 1_000_000,
        "at_close": row.at_close,
        "lag": row.lag,
        "since_us": row.time_us or None,
        "next_us": None if every_us is None else next_cycle_us(now_us, every_us),
    }
