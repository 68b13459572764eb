"""`/v1/stream`: accepts WebSockets and gives each its session. All sockets are on one loop, which
writes what the hub queues; what reads the database runs in threads.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge

from market_data_feed.adapters.stream.connection import Session, StreamParts
from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.adapters.stream.subscriber import (
    BY_CLIENT,
    CROWDED_OUT,
    KEY_REVOKED,
    RESTARTING,
    TOO_SLOW,
    Subscriber,
)
from market_data_feed.domain.stream_places import Place, StreamPlaces
from service_runtime.database import DatabaseUnavailable
from service_runtime.http.answers import refusal_reply
from service_runtime.http.asgi_application import Application, caller_of
from service_runtime.http.authentication import key_in
from service_runtime.http.websocket import WebSocket, refuse_without_handshake
from service_runtime.http.worker_threads import WorkerThreads
from venue_protocol.refusals import Refusal, Refused, RejectReason

PATH = "/v1/stream"
THREADS = 16
"""For the actions of all streams: they ask the record, to which there are 8 connections."""
_LOOK_UP_S = 0.5
_PATIENCE_S = 30.0
"""For most of what waits to be read before the next action, or the reader is too slow."""
_MOST_FRAME_BYTES = 16_384
_CROWDED_OUT = "too many streams without a key are open"
_RESTARTING = "the service ends, come back with resume_from"
_NOTHING_YET = b"nothing yet"
"""Compared by identity: no frame is this very object."""

log = logging.getLogger(__name__)

open_streams = Gauge("venue_open_streams", "WebSocket streams open now")
streams_cut_off = Counter(
    "venue_streams_cut_off_total", "WebSocket streams that the feed ended", ["cause"]
)
_CAUSES = {
    TOO_SLOW: "too_slow",
    RESTARTING: "restarting",
    CROWDED_OUT: "crowded_out",
    KEY_REVOKED: "key_revoked",
}


class Streams:
    """All open streams: who may open one, whose it is, and how they end."""

    def __init__(self, sender: Sender, parts: StreamParts, places: StreamPlaces) -> None:
        self._hub = parts.hub
        self._parts = parts
        self._sender = sender
        self._places = places
        self._threads = WorkerThreads(THREADS, "stream")
        self._open: dict[Place, Subscriber | None] = {}
        """None: let in, but the handshake is not done."""
        # Streams come and go on the loop; whose they are is found in threads.
        self._lock = threading.Lock()

    async def serve(self, websocket: WebSocket) -> None:
        """Run one stream from its handshake to its end."""
        self._sender.run_on(asyncio.get_running_loop())
        address = websocket.connection.address
        key = key_in(websocket.header(b"authorization"), None)
        try:
            client_id = await self._threads.run(
                caller_of(websocket.connection), self._client_of, key
            )
            place = self.enter(address, client_id)
        except Refused as refused:
            await websocket.refuse(refusal_reply(refused.refusal, refused.retry_after_s))
            return
        try:
            await self._serve(websocket, place, key)
        finally:
            self.leave(place)

    def enter(self, address: str, client_id: str | None) -> Place:
        """A place for a new stream; Refused if there is none."""
        with self._lock:
            admission = self._places.enter(address, client_id)
            crowded_out = (
                self._open.pop(admission.crowded_out, None) if admission.crowded_out else None
            )
            if admission.place is not None:
                self._open[admission.place] = None
            open_streams.set(len(self._places))
        if crowded_out is not None:
            self._hub.end(crowded_out, CROWDED_OUT, _CROWDED_OUT)
        if admission.place is None:
            raise Refused(admission.refusal or Refusal(RejectReason.NOT_READY, "no place"))
        return admission.place

    def leave(self, place: Place) -> None:
        """The stream ended, or its handshake failed. Safe to repeat."""
        with self._lock:
            self._places.leave(place)
            self._open.pop(place, None)
            open_streams.set(len(self._places))

    async def _serve(self, websocket: WebSocket, place: Place, key: str | None) -> None:
        await websocket.accept(_MOST_FRAME_BYTES)
        websocket.keep_kernel_buffer_small()
        subscriber = Subscriber(websocket.protocol)
        websocket.protocol.on_writable = subscriber.flush
        websocket.protocol.on_service_end = lambda: _end_for_restart(subscriber)
        with self._lock:
            if place in self._open:
                self._open[place] = subscriber
            else:
                subscriber.end(CROWDED_OUT, _CROWDED_OUT)
        session = Session(
            subscriber,
            self._parts,
            place.address,
            lambda client_id: self._identify(place, client_id),
        )
        try:
            await self._talk(websocket, place, session, subscriber, key)
        finally:
            subscriber.end(BY_CLIENT, "")
            _note_cut_off(place, subscriber)
            subscriber.flush()
            await self._threads.run("", self._hub.leave, subscriber)

    async def _talk(
        self,
        websocket: WebSocket,
        place: Place,
        session: Session,
        subscriber: Subscriber,
        key: str | None,
    ) -> None:
        async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
            share = caller_of(websocket.connection)
            return await self._threads.run(share, function, *arguments)

        await in_thread(session.begin, key)
        while not subscriber.is_ending():
            frame = await _next_frame(websocket)
            if frame is None:
                return
            if frame is not _NOTHING_YET:
                if not await subscriber.wait_for_room(_PATIENCE_S):
                    self._hub.end(subscriber, TOO_SLOW, "too slow")
                    return
                await in_thread(session.answer, frame)
                place.is_listening = session.is_listening
                await session.catch_up(in_thread)
                await _pause(subscriber, session.pause_s)
            if session.is_key_due():
                await in_thread(session.check_key)

    def _client_of(self, key: str | None) -> str | None:
        """The client of a key; None for a stranger, also where nobody can say."""
        if key is None:
            return None
        try:
            return self._parts.authenticator.caller_of(key).client_id
        except (Refused, DatabaseUnavailable):
            return None

    def _identify(self, place: Place, client_id: str) -> None:
        with self._lock:
            refusal = self._places.identify(place, client_id)
        if refusal is not None:
            raise Refused(refusal)


def _note_cut_off(place: Place, subscriber: Subscriber) -> None:
    """Count a stream that the feed ended; a line for a known client, for strangers could fill the
    log.
    """
    cut_off = subscriber.cut_off()
    if cut_off is None:
        return
    streams_cut_off.labels(_CAUSES.get(cut_off[0], "other")).inc()
    if place.client_id is not None:
        fields = {"client_id": place.client_id, "address": place.address, "cause": cut_off[1]}
        log.info("stream cut off", extra=fields)


def add_routes(application: Application, streams: Streams) -> None:
    """Put `/v1/stream` on `application`."""
    application.add_websocket(PATH, streams.serve, refuse_without_handshake)


async def _next_frame(websocket: WebSocket) -> bytes | str | None:
    """The next frame; _NOTHING_YET when it is time to look around, None at the end."""
    try:
        async with asyncio.timeout(_LOOK_UP_S):
            return await websocket.receive()
    except TimeoutError:
        return _NOTHING_YET


async def _pause(subscriber: Subscriber, pause_s: float) -> None:
    """Read nothing for so long, unless the stream ends."""
    end_s = time.monotonic() + pause_s
    while not subscriber.is_ending() and (left_s := end_s - time.monotonic()) > 0:
        await asyncio.sleep(min(left_s, _LOOK_UP_S))


def _end_for_restart(subscriber: Subscriber) -> None:
    subscriber.end(RESTARTING, _RESTARTING)
    subscriber.flush()
