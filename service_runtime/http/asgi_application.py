"""The application that the server runs: native routes on the loop, Flask's routes in threads.

A native route may not block. It answers requests that come by the thousand and wait for something
that a thread need not be held for; everything else is an ordinary Flask route.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from flask import Flask

from service_runtime.database import CommitUnknown, DatabaseUnavailable
from service_runtime.http import access_metrics, request_context, wsgi_bridge
from service_runtime.http.answers import FAULT, Reply, database_refusal, json_reply, refusal_reply
from service_runtime.http.authentication import Authenticator, key_in
from service_runtime.http.connections import Connection
from service_runtime.http.websocket import WebSocket
from service_runtime.http.worker_threads import STRANGER, WorkerThreads
from venue_protocol.refusals import Refused

log = logging.getLogger(__name__)

_START, _BODY = "http.response.start", "http.response.body"
_PROBES = frozenset(("/readyz", "/metrics"))
_PROBE_THREADS = 2
"""Of their own: who looks after the service must get an answer when its clients keep it busy."""

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class ClientGone(Exception):
    """The client went away before its request was whole."""


class NativeRequest:
    """An HTTP request that has arrived whole."""

    __slots__ = ("body", "connection", "scope", "segment", "threads")

    def __init__(
        self, scope: Scope, connection: Connection | None, body: bytes, threads: WorkerThreads
    ) -> None:
        self.scope = scope
        self.connection = connection
        self.body = body
        self.threads = threads
        self.segment = ""
        """The last part of the path, where the route has a parameter."""

    @property
    def caller(self) -> str:
        """Whose share of the threads it takes: the client's once known, else its address's."""
        return caller_of(self.connection)

    def header(self, name: bytes) -> str | None:
        """The value of the first header with this lower-case name."""
        for each, value in self.scope["headers"]:
            if each == name:
                return str(value.decode("latin-1"))
        return None


Handler = Callable[[NativeRequest], Awaitable[Reply]]
Conversation = Callable[[WebSocket], Awaitable[None]]


class Route(NamedTuple):
    """A native route: its path, as Flask writes rules, and who answers."""

    path: str
    handler: Handler


def caller_of(connection: Connection | None) -> str:
    """Whose share of the threads a request on this connection takes."""
    if connection is None:
        return ""
    return connection.client_id or f"{STRANGER}{connection.address}"


class Application:
    """An ASGI application: callable with scope, receive and send."""

    def __init__(
        self, flask: Flask, threads: int, authenticator: Authenticator | None = None
    ) -> None:
        """`authenticator`: knows keys, so that a client's first request is no stranger's."""
        self._flask = flask
        self._authenticator = authenticator
        self.threads = WorkerThreads(threads, "http")
        self._probe_threads = WorkerThreads(_PROBE_THREADS, "probe")
        self._exact: dict[tuple[str, str], Route] = {}
        self._with_segment: dict[tuple[str, str], Route] = {}
        self._conversations: dict[str, Conversation] = {}

    @property
    def flask(self) -> Flask:
        """The Flask application that has the ordinary routes."""
        return self._flask

    def add_route(self, method: str, path: str, handler: Handler) -> None:
        """Answer `method` on `path` natively; `path` may end in one `<parameter>`.

        Flask learns of the route too, so that what it says of paths and methods stays whole.
        """
        prefix, has_segment, _ = path.partition("<")
        table = self._with_segment if has_segment else self._exact
        table[(method, prefix)] = Route(path, handler)
        self._flask.add_url_rule(path, f"{method} {path}", _is_native, methods=[method])

    def add_websocket(
        self, path: str, conversation: Conversation, refuse: Callable[[], Any]
    ) -> None:
        """Hold `conversation` with whoever opens a WebSocket on `path`.

        `refuse`: the Flask view for those who ask without a handshake.
        """
        self._conversations[path] = conversation
        self._flask.add_url_rule(path, f"WebSocket {path}", refuse, methods=["GET"])

    def websocket_paths(self) -> frozenset[bytes]:
        """Paths on which a handshake is taken."""
        return frozenset(path.encode() for path in self._conversations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request, or one WebSocket."""
        if scope["type"] == "websocket":
            await self._converse(scope, receive, send)
            return
        connection = scope["state"].get("connection")
        context = request_context.begin(connection)
        began_s = time.perf_counter()
        try:
            reply = await self._answer(scope, receive, connection)
        except (ClientGone, asyncio.CancelledError):
            return
        except Refused as refused:
            reply = refusal_reply(refused.refusal, refused.retry_after_s)
        except DatabaseUnavailable as error:
            reply = refusal_reply(database_refusal(isinstance(error, CommitUnknown)))
        except Exception:
            fields = {"path": scope["path"], "request_id": context.request_id}
            log.exception("request failed", extra=fields)
            reply = refusal_reply(FAULT)
        access_metrics.count(scope["method"], context.route, reply.status, began_s)
        if reply.rest is None:
            await _send_reply(send, reply, connection)
        else:
            await self._send_pages(scope, send, reply, reply.rest, connection)

    async def _answer(self, scope: Scope, receive: Receive, connection: Connection | None) -> Reply:
        body = await _whole_body(receive)
        request = NativeRequest(scope, connection, body, self.threads)
        route = self._route(request)
        if route is not None:
            request_context.note_route(route.path)
            return await route.handler(request)
        is_plain = not scope["query_string"]
        if scope["path"] == "/healthz" and scope["method"] == "GET" and is_plain:
            # On the loop: the process is alive, however many wait for its threads.
            request_context.note_route("/healthz")
            return json_reply({"status": "alive", "service": self._flask.name})
        if self._authenticator is not None and connection is not None:
            self._authenticator.remembered(
                key_in(request.header(b"authorization"), request.header(b"x-api-key"))
            )
        environ = wsgi_bridge.environ_of(scope, body)
        threads = self._probe_threads if scope["path"] in _PROBES else self.threads
        return await threads.run(request.caller, self._answer_in_flask, connection, environ)

    async def _send_pages(
        self,
        scope: Scope,
        send: Send,
        reply: Reply,
        pages: Iterator[bytes],
        connection: Connection | None,
    ) -> None:
        """An answer of unknown length: each page is made once its client has read the one before.

        So it takes the memory of a page, and no thread while the client reads.
        """
        await send({"type": _START, "status": reply.status, "headers": _headers_of(reply)})
        transport = None if connection is None else connection.protocol.transport
        try:
            while scope["method"] != "HEAD" and not (transport and transport.is_closing()):
                page = await self.threads.run(caller_of(connection), next, pages, None)
                if page is None:
                    break
                await send({"type": _BODY, "body": page, "more_body": True})
        except (DatabaseUnavailable, Refused) as error:
            log.warning("an answer ends early", extra={"path": scope["path"], "error": str(error)})
            if transport is not None:
                # Not a good end: the client must not take this for the whole.
                transport.abort()
                # uvicorn learns of it first: it would log an answer that lacks its end.
                await asyncio.sleep(0)
                return
        await send({"type": _BODY, "body": b""})

    def _answer_in_flask(self, connection: Connection | None, environ: dict[str, Any]) -> Reply:
        """In a thread. Nobody waits for the answers of a client that went away."""
        if connection is not None and connection.protocol.transport.is_closing():
            raise ClientGone
        return wsgi_bridge.answer(self._flask.wsgi_app, environ)

    def _route(self, request: NativeRequest) -> Route | None:
        method, path = request.scope["method"], request.scope["path"]
        route = self._exact.get((method, path))
        if route is None:
            start = path.rfind("/") + 1
            route = self._with_segment.get((method, path[:start]))
            request.segment = path[start:]
            if not request.segment:
                return None
        return route

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope["state"].get("connection")
        context = request_context.begin(connection)
        websocket = WebSocket(scope, receive, send, self.threads)
        try:
            await self._conversations[scope["path"]](websocket)
        except asyncio.CancelledError:
            return
        except Exception:
            fields = {"path": scope["path"], "request_id": context.request_id}
            log.exception("conversation failed", extra=fields)
            await websocket.close(_INTERNAL_ERROR, "a fault of the venue; it has been logged")


_INTERNAL_ERROR = 1011
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""What `security_headers` puts on every answer of Flask."""


def _is_native() -> Any:
    raise AssertionError("a native route is not Flask's to answer")


async def _whole_body(receive: Receive) -> bytes:
    """The body, at most as long as its head said; the protocol has bounded that."""
    event = await receive()
    if event["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = event["body"]
    if not event["more_body"]:
        return body
    pieces = [body]
    while event["more_body"]:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        pieces.append(event["body"])
    return b"".join(pieces)


def _headers_of(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers]
    if reply.content_type:
        headers.append((b"content-type", reply.content_type.encode()))
    if all(name != _NO_SNIFFING[0] for name, _ in headers):
        headers.append(_NO_SNIFFING)
    return headers


async def _send_reply(send: Send, reply: Reply, connection: Connection | None) -> None:
    headers = [*_headers_of(reply), (b"content-length", b"%d" % len(reply.body))]
    transport = None if connection is None else connection.protocol.transport
    if transport is not None:
        transport.cork()
    try:
        await send({"type": _START, "status": reply.status, "headers": headers})
        await send({"type": _BODY, "body": reply.body})
    finally:
        if transport is not None:
            transport.uncork()
