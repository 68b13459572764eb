"""Order entry over WebSocket: frames are one action or a list of them; each is answered by one frame, in order."""

import logging
from typing import Any

import msgspec
from flask import Flask, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed

from order_entry_gateway.adapters.http import answer_content
from order_entry_gateway.domain.requests import MOST_COMMANDS, Action, AuthenticateAction
from order_entry_gateway.handlers import OrderDesk
from service_runtime.authentication import Authenticator, Caller
from service_runtime.database import DatabaseUnavailable
from service_runtime.request_body import decode_strictly
from service_runtime.slow_clients import allow_silence
from service_runtime.web import MAX_BODY_BYTES, Refused, error_body, refuse
from venue_protocol.refusals import Refusal, RejectReason

log = logging.getLogger(__name__)

_PING_S = 25
_frame_decoder = msgspec.json.Decoder(Action | AuthenticateAction | list[Action])


def add_routes(app: Flask, desk: OrderDesk, authenticator: Authenticator) -> None:
    """Put `/v1/order-entry` on `app`."""
    app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": _PING_S, "max_message_size": MAX_BODY_BYTES}

    @Sock(app).route("/v1/order-entry")  # type: ignore[untyped-decorator]
    def order_entry(connection: Any) -> None:
        allow_silence(request.environ)
        session = _Session(desk, authenticator)
        try:
            while True:
                connection.send(msgspec.json.encode(session.answer(connection.receive())).decode())
        except ConnectionClosed:
            log.debug("order entry connection closed")


class _Session:
    """One connection: who it belongs to, and the answer to each frame."""

    def __init__(self, desk: OrderDesk, authenticator: Authenticator) -> None:
        self._desk = desk
        self._authenticator = authenticator
        self._key: str | None = None

    def answer(self, frame: bytes | str) -> Any:
        """What to send back for one frame: an object for an action, a list for a list, `{"error": …}` for garbage."""
        action_id = None
        try:
            actions = decode_strictly(_frame_decoder, frame)
            if isinstance(actions, AuthenticateAction):
                action_id = actions.id
                caller = self._authenticator.caller_of(actions.key)
                self._key = actions.key
                return {"id": action_id, "client_id": caller.client_id, "status": "authenticated"}
            if isinstance(actions, list):
                if not 1 <= len(actions) <= MOST_COMMANDS:
                    raise refuse(RejectReason.INVALID_FIELD, f"a list has 1 to {MOST_COMMANDS} commands")
                answers = self._desk.handle(self._caller(), actions)
                return [
                    {"id": action.id} | answer_content(answer) for action, answer in zip(actions, answers, strict=True)
                ]
            action_id = actions.id
            return {"id": action_id} | answer_content(self._desk.handle(self._caller(), [actions])[0])
        except Refused as refused:
            retry = {} if refused.retry_after_s is None else {"retry_after_s": refused.retry_after_s}
            return {"id": action_id} | error_body(refused.refusal) | retry
        except DatabaseUnavailable:
            return {"id": action_id} | error_body(Refusal(RejectReason.NOT_READY, "the database is away, ask again"))

    def _caller(self) -> Caller:
        """The caller, looked up each time so that a revoked key ends the session's rights."""
        return self._authenticator.caller() if self._key is None else self._authenticator.caller_of(self._key)
