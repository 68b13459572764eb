"""`/v1/stream`: accepts WebSockets and gives each its session. The socket's writing side belongs to
the sender.
"""

import contextlib
import logging
import socket
import threading
import time
from typing import Any

from flask import Flask, g, request
from flask_sock import Sock
from prometheus_client import Gauge
from simple_websocket import ConnectionClosed

from market_data_feed.adapters.stream.connection import Session, StreamParts
from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.adapters.stream.subscriber import (
    BY_CLIENT,
    CROWDED_OUT,
    RESTARTING,
    Subscriber,
)
from market_data_feed.domain.stream_places import Place, StreamPlaces
from service_runtime.database import DatabaseUnavailable
from service_runtime.http.socket_timeouts import allow_silence
from venue_protocol.refusals import Refusal, Refused, RejectReason

log = logging.getLogger(__name__)

PATH = "/v1/stream"
_LOOK_UP_S = 0.5
_PING_S = 20
_MOST_FRAME_BYTES = 16_384
_MOST_UNREAD_FRAMES = 64
_RELEASE_S = 1.0

open_streams = Gauge("venue_open_streams", "WebSocket streams open now")


class Streams:
    """All open streams: who may open one, whose it is, and how they end.

    A transport asks `enter` before it answers the handshake, calls `serve` for what was let in (or
    does what `serve` does, on its own loop), and `leave` in every case.
    """

    def __init__(self, sender: Sender, parts: StreamParts, places: StreamPlaces) -> None:
        self._hub = parts.hub
        self._parts = parts
        self._sender = sender
        self._places = places
        self._open: dict[Place, Subscriber | None] = {}
        """None: let in, but the handshake is not done."""
        self._lock = threading.Lock()

    def enter(self, address: str, key: str | None) -> Place:
        """A place for a new stream; Refused if there is none. `key`: the one of the handshake."""
        client_id = self._client_of(key)
        with self._lock:
            admission = self._places.enter(address, client_id)
            crowded_out = (
                self._open.pop(admission.crowded_out, None) if admission.crowded_out else None
            )
            if admission.place is not None:
                self._open[admission.place] = None
            open_streams.set(len(self._places))
        if crowded_out is not None:
            self._hub.end(crowded_out, CROWDED_OUT, "too many streams without a key are open")
        if admission.place is None:
            raise Refused(admission.refusal or Refusal(RejectReason.NOT_READY, "no place"))
        return admission.place

    def leave(self, place: Place) -> None:
        """The stream ended, or its handshake failed. Safe to repeat."""
        with self._lock:
            self._places.leave(place)
            self._open.pop(place, None)
            open_streams.set(len(self._places))

    def serve(self, connection: Any, place: Place, key: str | None) -> None:
        """Run one accepted WebSocket to its end."""
        subscriber = Subscriber(connection.sock)
        connection.sock = _ReadingSide(connection, subscriber, self._sender)
        with self._lock:
            if place in self._open:
                self._open[place] = subscriber
            else:
                subscriber.end(CROWDED_OUT, "too many streams without a key are open")
        session = Session(
            subscriber,
            self._parts,
            place.address,
            lambda client_id: self._identify(place, client_id),
        )
        try:
            self._talk(connection, place, session, subscriber, key)
        except ConnectionClosed:
            log.debug("stream closed by its client")
        finally:
            self._hub.leave(subscriber)
            self._let_go(subscriber)
            self.leave(place)

    def _talk(
        self,
        connection: Any,
        place: Place,
        session: Session,
        subscriber: Subscriber,
        key: str | None,
    ) -> None:
        session.begin(key)
        while not subscriber.is_ended:
            frame = connection.receive(timeout=_LOOK_UP_S)
            if frame is not None:
                session.answer(frame)
                place.is_listening = session.is_listening
                subscriber.wait_until_ended(session.pause_s)
            session.check_key()

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

    def close_when(self, stopping: threading.Event) -> None:
        """Wait for `stopping`, then tell every client that the service ends."""
        stopping.wait()
        with self._lock:
            subscribers = list(self._open.values())
        for subscriber in subscribers:
            if subscriber is not None:
                self._hub.end(
                    subscriber, RESTARTING, "the service ends, come back with resume_from"
                )

    def _let_go(self, subscriber: Subscriber) -> None:
        """Make sure that the sender no longer knows the socket before gunicorn closes it."""
        self._hub.end(subscriber, BY_CLIENT, "")
        if not subscriber.released.wait(_RELEASE_S):
            subscriber.abandon()
            self._hub.end(subscriber, BY_CLIENT, "")
            subscriber.released.wait(_RELEASE_S)
        with contextlib.suppress(OSError):
            subscriber.connection.shutdown(socket.SHUT_RD)


class _ReadingSide:
    """The socket as simple-websocket sees it: it reads; what it writes (pongs, pings) is queued
    like all else.
    """

    def __init__(self, connection: Any, subscriber: Subscriber, sender: Sender) -> None:
        self._connection = connection
        self._subscriber = subscriber
        self._sender = sender
        self._socket = subscriber.connection

    def recv(self, size: int) -> bytes:
        """Read, but not while the client's frames pile up unhandled."""
        while (
            len(self._connection.input_buffer) > _MOST_UNREAD_FRAMES
            and not self._subscriber.is_ended
        ):
            time.sleep(0.02)
        return self._socket.recv(size)

    def send(self, data: bytes) -> int:
        """Queue a control frame."""
        self._subscriber.put(data)
        self._sender.wake(self._subscriber)
        self._sender.ring()
        return len(data)

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._socket.fileno()

    def close(self) -> None:
        """The client is gone, or said goodbye; gunicorn closes the socket itself."""
        self._subscriber.end(BY_CLIENT, "")
        self._sender.wake(self._subscriber)
        self._sender.ring()


def add_routes(app: Flask, streams: Streams) -> None:
    """Put `/v1/stream` on `app`."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": _PING_S,
        "max_message_size": _MOST_FRAME_BYTES,
    }

    @app.before_request
    def take_place() -> None:
        if request.path == PATH:
            g.place = streams.enter(request.remote_addr or "", _bearer_key())

    @app.teardown_request
    def give_place_back(_error: BaseException | None) -> None:
        if "place" in g:
            streams.leave(g.place)

    @Sock(app).route(PATH)  # type: ignore[untyped-decorator]
    def stream(connection: Any) -> None:
        allow_silence(request.environ)
        streams.serve(connection, g.place, _bearer_key())


def _bearer_key() -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key else None
