"""Order entry over WebSocket: frames are one action or a list of them; each is answered by one
frame, in order.
"""

import logging
import threading
import time
from collections import Counter
from typing import Any

import msgspec
from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed

from order_entry_gateway.adapters.concurrency_limit import Turnstile
from order_entry_gateway.adapters.http import answer_content, bounded, switch_answer
from order_entry_gateway.domain.requests import (
    Action,
    AuthenticateAction,
    CancelAfterAction,
    CancelOnDisconnectAction,
)
from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.database import DatabaseUnavailable
from service_runtime.http.application import RETRY_AFTER_S, error_body, refusal_response
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.request_body import decode_strictly
from service_runtime.http.socket_timeouts import MAX_BODY_BYTES, allow_silence
from venue_protocol.refusals import Refusal, Refused, RejectReason

log = logging.getLogger(__name__)

PATH = "/v1/order-entry"
MOST_SOCKETS = 256
"""Each holds a thread; the rest of the threads are for REST."""
MOST_SOCKETS_OF_A_CLIENT = 16
STRANGER_S = 10.0
"""Who has not shown a good key by then is sent away."""
_PING_S = 25
_MOST_UNREAD_FRAMES = 64
_POLICY_VIOLATION = 1008
_frame_decoder = msgspec.json.Decoder(
    Action | AuthenticateAction | CancelAfterAction | CancelOnDisconnectAction | list[Action]
)


def add_routes(
    app: Flask,
    desk: OrderDesk,
    timekeeper: Timekeeper,
    authenticator: Authenticator,
    turnstile: Turnstile,
) -> None:
    """Put `/v1/order-entry` on `app`."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": _PING_S,
        "max_message_size": MAX_BODY_BYTES,
    }
    sockets = _Sockets()

    @app.before_request
    def refuse_when_full() -> Response | None:
        if request.path != PATH or sockets.has_room():
            return None
        return refusal_response(Refusal(RejectReason.NOT_READY, "too many WebSockets are open"))

    @Sock(app).route(PATH)  # type: ignore[untyped-decorator]
    def order_entry(connection: Any) -> None:
        allow_silence(request.environ)
        connection.sock = _PacedSocket(connection)
        session = _Session(desk, timekeeper, authenticator, sockets, turnstile)
        sockets.entered()
        try:
            _converse(connection, session)
        except ConnectionClosed:
            log.debug("order entry connection closed")
        finally:
            session.end()
            sockets.left()


def _converse(connection: Any, session: "_Session") -> None:
    """Answer frame by frame; send a stranger away in time."""
    deadline_s = time.monotonic() + STRANGER_S
    session.greet()
    while True:
        frame = connection.receive(
            None if session.is_known() else max(0.0, deadline_s - time.monotonic())
        )
        if frame is None:
            connection.close(_POLICY_VIOLATION, "no good key was shown in time")
            return
        connection.send(msgspec.json.encode(session.answer(frame)).decode())


class _Sockets:
    """How many WebSockets are open, in all and of each client."""

    def __init__(self) -> None:
        self._open = 0
        self._of_client: Counter[str] = Counter()
        self._lock = threading.Lock()

    def has_room(self) -> bool:
        """Whether one more may open."""
        return self._open < MOST_SOCKETS

    def entered(self) -> None:
        """One was opened."""
        with self._lock:
            self._open += 1

    def left(self) -> None:
        """One was closed."""
        with self._lock:
            self._open -= 1

    def take(self, client_id: str) -> None:
        """One belongs to this client now; Refused when it has too many."""
        with self._lock:
            if self._of_client[client_id] >= MOST_SOCKETS_OF_A_CLIENT:
                message = f"a client may have {MOST_SOCKETS_OF_A_CLIENT} WebSockets open"
                raise Refused(Refusal(RejectReason.RATE_LIMITED, message), RETRY_AFTER_S)
            self._of_client[client_id] += 1

    def give_back(self, client_id: str) -> None:
        """One no longer belongs to this client."""
        with self._lock:
            self._of_client[client_id] -= 1
            if not self._of_client[client_id]:
                del self._of_client[client_id]


class _PacedSocket:
    """The socket as simple-websocket sees it: it is not read while the client's frames pile up
    unhandled.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._socket = connection.sock

    def recv(self, size: int) -> bytes:
        """Read, once there is room."""
        while self._connection.connected and self._is_full():
            time.sleep(0.02)
        received: bytes = self._socket.recv(size)
        return received

    def _is_full(self) -> bool:
        unread = self._connection.input_buffer
        return len(unread) > _MOST_UNREAD_FRAMES or sum(map(len, unread)) > MAX_BODY_BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class _Session:
    """One connection: who it belongs to, and the answer to each frame."""

    def __init__(
        self,
        desk: OrderDesk,
        timekeeper: Timekeeper,
        authenticator: Authenticator,
        sockets: _Sockets,
        turnstile: Turnstile,
    ) -> None:
        self._desk = desk
        self._timekeeper = timekeeper
        self._authenticator = authenticator
        self._sockets = sockets
        self._turnstile = turnstile
        self._key: str | None = None
        self._client_id: str | None = None
        self._cancels_at_end: tuple[str, str] | None = None
        """Session and client whose orders are canceled when the socket ends."""

    def is_known(self) -> bool:
        """Whether it showed a good key."""
        return self._client_id is not None

    def greet(self) -> None:
        """Take the key of the handshake, if it had a good one; a bad one is told with the first
        answer.
        """
        try:
            self._caller()
        except (Refused, DatabaseUnavailable):
            log.debug("no good key in the handshake")

    def end(self) -> None:
        """The socket belongs to nobody any more."""
        if self._client_id is not None:
            self._sockets.give_back(self._client_id)
            self._client_id = None
        if self._cancels_at_end is not None:
            self._timekeeper.end_session(*self._cancels_at_end)
            self._cancels_at_end = None

    def answer(self, frame: bytes | str) -> Any:
        """What to send back for one frame: an object for an action, a list for a list, `{"error":
        …}` for garbage.
        """
        action_id = None
        try:
            with self._turnstile.entering(len(frame)):
                actions = decode_strictly(_frame_decoder, frame)
                if isinstance(actions, list):
                    pending = self._desk.begin(self._caller(), bounded(actions))
            if isinstance(actions, list):
                pending.wait()
                with self._turnstile.leaving(len(frame)):
                    answered = zip(actions, pending.answers(), strict=True)
                    return [
                        {"id": action.id} | answer_content(answer) for action, answer in answered
                    ]
            if isinstance(actions, AuthenticateAction):
                action_id = actions.id
                caller = self._admit(self._authenticator.caller_of(actions.key))
                self._key = actions.key
                return {"id": action_id, "client_id": caller.client_id, "status": "authenticated"}
            action_id = actions.id
            if isinstance(actions, CancelAfterAction | CancelOnDisconnectAction):
                return {"id": action_id} | self._set_timer(actions)
            return {"id": action_id} | answer_content(
                self._desk.handle(self._caller(), [actions])[0]
            )
        except Refused as refused:
            retry = (
                {} if refused.retry_after_s is None else {"retry_after_s": refused.retry_after_s}
            )
            return {"id": action_id} | error_body(refused.refusal) | retry
        except DatabaseUnavailable:
            return {"id": action_id} | error_body(
                Refusal(RejectReason.NOT_READY, "the database is away, ask again")
            )

    def _set_timer(self, action: CancelAfterAction | CancelOnDisconnectAction) -> dict[str, object]:
        caller = self._caller()
        self._desk.charge(caller)
        if isinstance(action, CancelAfterAction):
            return switch_answer(self._timekeeper, caller.client_id, action.timeout_ms)
        if action.enabled and self._cancels_at_end is None:
            self._cancels_at_end = (
                self._timekeeper.open_session(caller.client_id),
                caller.client_id,
            )
        elif not action.enabled and self._cancels_at_end is not None:
            self._timekeeper.release_session(self._cancels_at_end[0])
            self._cancels_at_end = None
        return {"status": "cancel_on_disconnect", "enabled": action.enabled}

    def _caller(self) -> Caller:
        """The caller, looked up each time so that a revoked key ends the session's rights."""
        key = self._key
        return self._admit(
            self._authenticator.caller() if key is None else self._authenticator.caller_of(key)
        )

    def _admit(self, caller: Caller) -> Caller:
        """The caller, to whom this socket belongs now; Refused when it has too many."""
        if caller.client_id != self._client_id:
            self._sockets.take(caller.client_id)
            self.end()
            self._client_id = caller.client_id
        return caller
