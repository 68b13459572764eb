"""Order entry over WebSocket: frames are one action or a list of them; each is answered by one
frame, in order.

A client may send frames ahead: each is checked and queued as it comes, and answered when its commit
is done. What must not overtake or be overtaken (long lists, keys, timers) waits for the answers
before it.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import msgspec

from order_entry_gateway.adapters.concurrency_limit import SHORT_BYTES
from order_entry_gateway.adapters.http import switch_answer
from order_entry_gateway.adapters.order_routes import Actions, OrderEntry, answer_content, bounded
from order_entry_gateway.domain.requests import (
    Action,
    AuthenticateAction,
    CancelAfterAction,
    CancelOnDisconnectAction,
)
from order_entry_gateway.handlers import PendingRequest
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.database import CommitUnknown, DatabaseUnavailable
from service_runtime.http.answers import RETRY_AFTER_S, database_refusal, error_body
from service_runtime.http.asgi_application import Application, caller_of
from service_runtime.http.authentication import Caller, key_in
from service_runtime.http.http_protocol import MAX_BODY_BYTES
from service_runtime.http.request_body import decode_strictly
from service_runtime.http.websocket import WebSocket, refuse_without_handshake
from service_runtime.http.websocket_frames import json_frame
from service_runtime.http.websocket_protocol import SERVICE_RESTART
from venue_protocol.refusals import Refusal, Refused, RejectReason

log = logging.getLogger(__name__)

PATH = "/v1/order-entry"
MOST_SOCKETS_OF_A_CLIENT = 64
STRANGER_S = 10.0
"""Whoever has not shown a good key by then is sent away."""
_STRANGER_FRAME_BYTES = 4_096
"""A frame with a key fits; nothing else of a stranger is taken."""
_MOST_UNANSWERED = 64
"""Frames of a socket that wait for their commit; no more is read before."""
_MOST_UNREAD_BYTES = 1_000_000
"""Answers that a known client has not read; no more of it is read before. Room for a client that
sends several lists before it reads: it could wait for us while we wait for it.
"""
_POLICY_VIOLATION = 1008
_frame_decoder = msgspec.json.Decoder(
    Action | AuthenticateAction | CancelAfterAction | CancelOnDisconnectAction | list[Action]
)


def add_routes(application: Application, entry: OrderEntry, timekeeper: Timekeeper) -> None:
    """Put `/v1/order-entry` on `application`."""
    sockets = SocketsOfClients()

    async def order_entry(websocket: WebSocket) -> None:
        await Session(websocket, entry, timekeeper, sockets).converse()

    application.add_websocket(PATH, order_entry, refuse_without_handshake)


class SocketsOfClients:
    """How many WebSockets each client has open."""

    def __init__(self) -> None:
        self._of_client: Counter[str] = Counter()

    def take(self, client_id: str) -> None:
        """One more belongs to this client; Refused when it has too many."""
        if self._of_client[client_id] >= MOST_SOCKETS_OF_A_CLIENT:
            message = f"a client may have {MOST_SOCKETS_OF_A_CLIENT} WebSockets open"
            raise Refused(Refusal(RejectReason.RATE_LIMITED, message), RETRY_AFTER_S)
        self._of_client[client_id] += 1

    def give_back(self, client_id: str) -> None:
        """One no longer belongs to this client."""
        self._of_client[client_id] -= 1
        if not self._of_client[client_id]:
            del self._of_client[client_id]


class _Unanswered:
    """A frame whose commit is not done yet."""

    __slots__ = ("pending", "write")

    def __init__(self, pending: PendingRequest, write: Callable[[PendingRequest], Any]) -> None:
        self.pending = pending
        self.write = write
        """What to send, once it is decided."""


class Session:
    """One connection: who it belongs to, and the answer to each frame."""

    def __init__(
        self,
        websocket: WebSocket,
        entry: OrderEntry,
        timekeeper: Timekeeper,
        sockets: SocketsOfClients,
    ) -> None:
        self._websocket = websocket
        self._entry = entry
        self._timekeeper = timekeeper
        self._sockets = sockets
        self._key = key_in(websocket.header(b"authorization"), websocket.header(b"x-api-key"))
        self._client_id: str | None = None
        self._cancels_at_end: tuple[str, str] | None = None
        """Session and client whose orders are canceled when the socket ends."""
        self._unanswered: deque[_Unanswered] = deque()
        self._answered = asyncio.Event()
        """Set when frames were answered: there may be room for more."""

    async def converse(self) -> None:
        """Answer frame by frame until either side ends it; send a stranger away in time."""
        try:
            await self._websocket.accept(_STRANGER_FRAME_BYTES)
            await self._greet()
            deadline_s = time.monotonic() + STRANGER_S
            while (frame := await self._next_frame(deadline_s)) is not None:
                await self._take(frame)
                await self._wait_for_room(_MOST_UNANSWERED - 1)
            if self._websocket.is_service_ending:
                await self._wait_for_room(0)
                await self._websocket.close(SERVICE_RESTART, "the service ends")
        finally:
            await self._end()

    async def _next_frame(self, deadline_s: float) -> bytes | str | None:
        if self._client_id is not None:
            return await self._websocket.receive()
        try:
            async with asyncio.timeout(deadline_s - time.monotonic()):
                return await self._websocket.receive()
        except TimeoutError:
            await self._websocket.close(_POLICY_VIOLATION, "no good key was shown in time")
            return None

    async def _greet(self) -> None:
        """Take the key of the handshake, if it had a good one; a bad one is told with the first
        answer.
        """
        if self._key is None:
            return
        try:
            await self._caller()
        except (Refused, DatabaseUnavailable):
            log.debug("no good key in the handshake")

    async def _take(self, frame: bytes | str) -> None:
        """Answer the frame, now or once its commit is done."""
        action_id = None
        try:
            paid = await self._pay(frame)
            if len(frame) > SHORT_BYTES:
                await self._take_long(frame, paid)
                return
            actions = decode_strictly(_frame_decoder, frame)
            if isinstance(actions, list):
                await self._begin(bounded(actions), _list_writer(actions), paid)
            else:
                action_id = actions.id
                await self._take_single(actions, paid)
        except (Refused, DatabaseUnavailable) as error:
            await self._wait_for_room(0)
            await self._send({"id": action_id} | _error(error))

    async def _pay(self, frame: bytes | str) -> int:
        """What a known client's frame costs before it is read.

        A stranger may only show a key: its frames are short, and only for some seconds.
        """
        if self._client_id is None:
            return 0
        return await self._entry.charge(await self._caller(), len(frame), self._websocket.threads)

    async def _take_single(self, action: Any, paid: int) -> None:
        if isinstance(action, AuthenticateAction):
            await self._wait_for_room(0)
            await self._send(await self._authenticate(action))
        elif isinstance(action, CancelAfterAction | CancelOnDisconnectAction):
            await self._wait_for_room(0)
            await self._send({"id": action.id} | await self._set_timer(action))
        else:
            await self._begin([action], _single_writer(action.id), paid)

    async def _begin(
        self, actions: Actions, write: Callable[[PendingRequest], Any], paid: int
    ) -> None:
        caller = await self._caller()
        pending = await self._entry.begin(caller, actions, self._websocket.threads, paid)
        self._unanswered.append(_Unanswered(pending, write))
        if pending.is_decided():
            self._answer_decided()
        else:
            self._entry.completions.call(pending, self._answer_decided)

    def _answer_decided(self) -> None:
        """Send the decided answers in order, up to the first that is not decided."""
        try:
            while self._unanswered and self._unanswered[0].pending.is_decided():
                due = self._unanswered.popleft()
                self._websocket.write(json_frame(due.write(due.pending)))
        except Exception:
            # Called by the loop, which would only note it: the answers after it must not be lost
            # without a sign.
            log.exception("an answer could not be written")
            self._websocket.abort()
        self._answered.set()

    async def _wait_for_room(self, most: int) -> None:
        """Wait until at most `most` frames are unanswered, and the client reads its answers."""
        while len(self._unanswered) > most:
            self._answered.clear()
            await self._answered.wait()
        await self._websocket.drain()

    async def _send(self, answer: Any) -> None:
        self._websocket.write(json_frame(answer))
        await self._websocket.drain()

    async def _take_long(self, frame: bytes | str, paid: int) -> None:
        """Answer a frame that is too long to be read on the loop."""
        await self._wait_for_room(0)
        entry, threads = self._entry, self._websocket.threads
        async with entry.turns.reading():
            actions = await threads.run(self._share, decode_strictly, _frame_decoder, frame)
            if isinstance(actions, list):
                caller = await self._caller()
                pending = await threads.run(
                    self._share, entry.desk.begin, caller, bounded(actions), paid
                )
        if not isinstance(actions, list):
            await self._take_single(actions, paid)
            return
        await entry.completions.decided(pending)
        async with entry.turns.writing():
            answer = await threads.run(self._share, _list_writer(actions), pending)
        await self._send(answer)

    async def _authenticate(self, action: AuthenticateAction) -> dict[str, object]:
        caller = await self._admit(await self._caller_of(action.key))
        self._key = action.key
        return {"id": action.id, "client_id": caller.client_id, "status": "authenticated"}

    async def _set_timer(
        self, action: CancelAfterAction | CancelOnDisconnectAction
    ) -> dict[str, object]:
        caller = await self._caller()
        return await self._websocket.threads.run(
            caller.client_id, self._set_timer_of, caller, action
        )

    def _set_timer_of(
        self, caller: Caller, action: CancelAfterAction | CancelOnDisconnectAction
    ) -> dict[str, object]:
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

    @property
    def _share(self) -> str:
        """Whose share of the threads it takes."""
        return caller_of(self._websocket.connection)

    async def _caller(self) -> Caller:
        """The caller, looked up each time so that a revoked key ends the session's rights."""
        return await self._admit(await self._caller_of(self._key))

    async def _caller_of(self, key: str | None) -> Caller:
        return await self._entry.caller(key, self._websocket.threads, self._share)

    async def _admit(self, caller: Caller) -> Caller:
        """The caller, to whom this socket belongs now; Refused when it has too many."""
        if caller.client_id != self._client_id:
            self._sockets.take(caller.client_id)
            await self._end()
            self._client_id = caller.client_id
            self._websocket.limit_messages(MAX_BODY_BYTES)
            self._websocket.allow_unread(_MOST_UNREAD_BYTES)
        return caller

    async def _end(self) -> None:
        """The socket belongs to nobody any more."""
        if self._client_id is not None:
            self._sockets.give_back(self._client_id)
            self._client_id = None
        if self._cancels_at_end is not None:
            session, self._cancels_at_end = self._cancels_at_end, None
            await self._websocket.threads.run("", self._timekeeper.end_session, *session)


def _single_writer(action_id: str | int | None) -> Callable[[PendingRequest], Any]:
    return lambda pending: {"id": action_id} | answer_content(pending.answers()[0])


def _list_writer(actions: list[Action]) -> Callable[[PendingRequest], Any]:
    return lambda pending: [
        {"id": action.id} | answer_content(answer)
        for action, answer in zip(actions, pending.answers(), strict=True)
    ]


def _error(error: Refused | DatabaseUnavailable) -> dict[str, Any]:
    if isinstance(error, DatabaseUnavailable):
        return error_body(database_refusal(isinstance(error, CommitUnknown)))
    retry_after_s = error.retry_after_s
    retry = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
    return error_body(error.refusal) | retry
