"""`/v1/stream`: accepts WebSockets and gives each its session. The socket's writing side belongs to
the sender.
"""

import contextlib
import socket
import threading
import time
from typing import Any

from flask import Flask, Response, request
from flask_sock import Sock
from prometheus_client import Gauge

from market_data_feed.adapters.listings import Listings
from market_data_feed.adapters.stream.catch_up import CatchUp
from market_data_feed.adapters.stream.connection import Session
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.adapters.stream.subscriber import BY_CLIENT, RESTARTING, Subscriber
from service_runtime.http.application import refusal_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.socket_timeouts import allow_silence
from venue_protocol.refusals import Refusal, RejectReason

PATH = "/v1/stream"
MOST_STREAMS = 400
_PING_S = 20
_MOST_FRAME_BYTES = 16_384
_MOST_UNREAD_FRAMES = 64
_RELEASE_S = 1.0

open_streams = Gauge("venue_open_streams", "WebSocket streams open now")


class Streams:
    """What a new stream needs, and how many there are."""

    def __init__(
        self,
        hub: Hub,
        sender: Sender,
        catch_up: CatchUp,
        listings: Listings,
        authenticator: Authenticator,
    ) -> None:
        self._hub = hub
        self._sender = sender
        self._catch_up = catch_up
        self._listings = listings
        self._authenticator = authenticator
        self._open: set[Subscriber] = set()
        self._lock = threading.Lock()

    def has_room(self) -> bool:
        """Whether one more stream may open. Each holds a thread."""
        return len(self._open) < MOST_STREAMS

    def serve(self, connection: Any, key: str | None) -> None:
        """Run one accepted WebSocket to its end."""
        subscriber = Subscriber(connection.sock)
        connection.sock = _ReadingSide(connection, subscriber, self._sender)
        self._note(subscriber, is_open=True)
        try:
            Session(
                connection,
                subscriber,
                self._hub,
                self._catch_up,
                self._listings,
                self._authenticator,
            ).run(key)
        finally:
            self._hub.leave(subscriber)
            self._let_go(subscriber)
            self._note(subscriber, is_open=False)

    def close_when(self, stopping: threading.Event) -> None:
        """Wait for `stopping`, then tell every client that the service ends."""
        stopping.wait()
        with self._lock:
            subscribers = list(self._open)
        for subscriber in subscribers:
            self._hub.end(subscriber, RESTARTING, "the service ends, come back with resume_from")

    def _let_go(self, subscriber: Subscriber) -> None:
        """Make sure that the sender no longer knows the socket before gunicorn closes it."""
        self._hub.end(subscriber, BY_CLIENT, "")
        if not subscriber.released.wait(_RELEASE_S):
            subscriber.abandon()
            self._hub.end(subscriber, BY_CLIENT, "")
            subscriber.released.wait(_RELEASE_S)
        with contextlib.suppress(OSError):
            subscriber.connection.shutdown(socket.SHUT_RD)

    def _note(self, subscriber: Subscriber, is_open: bool) -> None:
        with self._lock:
            (self._open.add if is_open else self._open.discard)(subscriber)
            open_streams.set(len(self._open))


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
    def refuse_when_full() -> Response | None:
        if request.path != PATH or streams.has_room():
            return None
        return refusal_response(Refusal(RejectReason.NOT_READY, "too many streams are open"))

    @Sock(app).route(PATH)  # type: ignore[untyped-decorator]
    def stream(connection: Any) -> None:
        allow_silence(request.environ)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        streams.serve(connection, key.strip() if scheme.lower() == "bearer" and key else None)
