"""The trading day over REST: everybody may read it, administrators command it."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask, Response

from order_entry_gateway.action_desk import ActionDesk, ActionRequest
from order_entry_gateway.adapters.session_store import SessionStore
from order_entry_gateway.loops.phase_schedule import (
    PHASE_DUE_US,
    Schedule,
    encode,
    refuse,
    upcoming,
)
from order_entry_gateway.phase_desk import BandsRequest, PhaseDesk, PhaseRequest
from service_runtime.clock import Clock
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.request_body import body_as
from venue_protocol.refusals import Refused

log = logging.getLogger(__name__)

_phase_decoder = msgspec.json.Decoder(PhaseRequest)
_bands_decoder = msgspec.json.Decoder(BandsRequest)
_action_decoder: "msgspec.json.Decoder[ActionRequest]" = msgspec.json.Decoder(ActionRequest)
_schedule_decoder: "msgspec.json.Decoder[Schedule]" = msgspec.json.Decoder(Schedule)


def add_routes(
    app: Flask,
    desk: PhaseDesk,
    store: SessionStore,
    authenticator: Authenticator,
    clock: Clock,
    charge: Callable[[Caller], object],
) -> None:
    """Put the session's routes on `app`. `charge` counts a read against its caller's rate."""

    @app.get("/v1/session")
    def session() -> Response:
        charge(authenticator.caller())
        return json_response(_view(store, clock.now_us()))

    @app.post("/v1/session")
    def begin() -> Response:
        caller = authenticator.administrator()
        request = body_as(_phase_decoder)
        logged = desk.begin(caller.client_id, request)
        return json_response(
            {"phase": request.phase, "security": request.security, "logged": logged}, 202
        )

    @app.post("/v1/session/bands")
    def bands() -> Response:
        caller = authenticator.administrator()
        request = body_as(_bands_decoder)
        logged = desk.set_bands(caller.client_id, request)
        return json_response(
            {"security": request.security, "band_bps": request.band_bps, "logged": logged}, 202
        )

    @app.post("/v1/actions")
    def act() -> Response:
        caller = authenticator.administrator()
        return json_response(
            ActionDesk(desk).apply(caller.client_id, body_as(_action_decoder)), 202
        )

    @app.put("/v1/session/schedule")
    def schedule() -> Response:
        administrator = authenticator.administrator()
        wanted = body_as(_schedule_decoder)
        refusal = refuse(wanted)
        if refusal is not None:
            raise Refused(refusal)
        store.set_schedule(wanted, PHASE_DUE_US)
        log.info(
            "schedule set",
            extra={"administrator": administrator.client_id, "schedule": encode(wanted)},
        )
        return json_response(_view(store, clock.now_us()))


def _view(store: SessionStore, now_us: int) -> dict[str, Any]:
    """What was commanded last, and what comes.

    What the engine does by itself shows in the market data.
    """
    schedule = store.schedule()
    coming = upcoming(schedule, now_us)
    return {
        "phases": [
            {
                "shard": row.shard,
                "security": row.security_id or None,
                "phase": row.phase,
                "reason": row.reason,
                "since_us": row.time_us,
                "action_sequence": row.action_sequence,
                "until_us": row.time_us + row.lasts_us if row.lasts_us is not None else None,
                "is_over": row.lasts_us is not None and row.time_us + row.lasts_us <= now_us,
            }
            for row in store.phases()
        ],
        "bands": [
            {
                "security": row.security_id,
                "band_bps": row.band_bps,
                "limit_state_s": row.limit_state_us // 1_000_000,
                "pause_s": row.pause_us // 1_000_000,
                "auction_s": row.auction_us // 1_000_000,
            }
            for row in store.bands()
            if row.band_bps is not None
        ],
        "schedule": msgspec.to_builtins(schedule),
        "next": {"phase": coming[1], "time_us": coming[0]} if coming else None,
    }
