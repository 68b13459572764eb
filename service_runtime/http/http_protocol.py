"""uvicorn's HTTP protocol with bounds: on the head, the body, what is sent ahead, and on the time
that each may take. What it refuses by itself is refused in the venue's words.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Collection
from typing import Any, ClassVar

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from service_runtime.http import request_context
from service_runtime.http.answers import refusal_reply
from service_runtime.http.connections import Connection, Connections, CutReason
from service_runtime.http.transport import LingeringTransport
from venue_protocol.refusals import Refusal, RejectReason

MAX_BODY_BYTES = 1_000_000
"""A request body above this is refused unread."""
MOST_HEAD_BYTES = 65_536
MOST_HEADERS = 64
MOST_URL_BYTES = 4_096
_SLICE_BYTES = 4_096
"""So much of a head is parsed at a time: of many requests sent ahead in one piece, only those in a
slice become objects before the first is answered.
"""
_LENGTH = re.compile(rb"[0-9]{1,18}")
"""A Content-Length that every reader between the client and us understands alike."""
_VERSIONS = ("1.0", "1.1")
_OF_VERSION = "HTTP is spoken here in versions 1.0 and 1.1"
_BAD_VERSION = "Invalid HTTP version"
"""The parser's word for a version that it does not know."""
_PREFACE_METHOD = b"PRI"
"""Of the first line that a client of HTTP/2 sends."""
_WEBSOCKET_VERSION = b"13"
MOST_HANDSHAKE_HEADER_BYTES = 8_000
"""Name and value of a handshake's header: `websockets` reads no line above 8,192 bytes."""


class RefusedByHead(Exception):
    """Stops the parser: the request is refused before its body is read."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. The server makes a subclass with its `registry` and `websocket_paths`."""

    registry: ClassVar[Connections]
    websocket_paths: ClassVar[Collection[bytes]] = ()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.connection: Connection
        self.url = b""
        """Of the newest request; uvicorn sets it only once one has begun."""
        self._is_arriving = False
        """A request was begun and has not arrived whole."""
        self._head_bytes = 0
        """Of the request being parsed, while its head is unfinished; -1 afterwards."""
        self._body_bytes = 0
        """How much of its body is still to come."""
        self._held = b""
        """Bytes to parse once the requests before them are answered."""
        self._refusal: Refusal | None = None
        """What ends the conversation, once the requests before it are answered."""
        self._reads_on = True
        """Whether what comes is still parsed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A stranger comes."""
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        self.connection = Connection(self.registry, address, self)
        lingering = LingeringTransport(transport, self.connection, self.registry)
        super().connection_made(lingering)  # type: ignore[arg-type]
        self.registry.enter(self.connection)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, however it went."""
        self.registry.leave(self.connection)
        self._reads_on = False
        self._held = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless requests before it wait for their answers."""
        if not self._reads_on:
            return
        if self._held or self.pipeline:
            self._held += data
            self.flow.pause_reading()
        else:
            self._parse(data)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends no more: what arrived whole is still answered."""
        is_unfinished = self._is_arriving or bool(self._held)
        if is_unfinished or not self._reads_on or not self._is_answering():
            return None
        self._reads_on = False
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """The client does not read: from now on its time runs."""
        super().pause_writing()
        self.registry.unread.begin(self.connection)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self.registry.unread.end(self.connection)

    def cut(self, reason: CutReason) -> None:
        """End it now: with a word to whoever has a request unfinished and nothing unread."""
        is_told = reason in (CutReason.SLOW_REQUEST, CutReason.CROWDED_OUT, CutReason.FULL)
        if not is_told or self.transport.is_closing() or self._is_said() or not self._may_be_told():
            self.transport.abort()
            return
        if self.cycle is not None:
            # The application still waits for the rest of the body.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if reason is CutReason.SLOW_REQUEST:
            self._say(Refusal(RejectReason.TIMED_OUT, "the request did not arrive in time"))
        else:
            self._say(Refusal(RejectReason.OVERLOADED, "too many connections without a key"))

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        # Here, not where bytes come: blank lines before a request are none, and lift no time limit.
        self.registry.silent.end(self.connection)
        self.registry.idle.end(self.connection)
        self.scope["state"]["connection"] = self.connection
        self._is_arriving = True
        self._head_bytes = 0
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """The next piece of the URL."""
        super().on_url(url)
        if len(self.url) > MOST_URL_BYTES:
            self._stop(RejectReason.TOO_LARGE, f"its URL is longer than {MOST_URL_BYTES} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            self._stop(RejectReason.TOO_LARGE, f"it has more than {MOST_HEADERS} headers")

    def on_headers_complete(self) -> None:
        """Judge the request by its head, then let the application begin."""
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            self._stop(RejectReason.HTTP_VERSION, _OF_VERSION, is_http=True)
        is_upgrade, hosts = False, 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                if not _LENGTH.fullmatch(value):
                    self._stop(RejectReason.MALFORMED, "its Content-Length is no whole number")
                self._body_bytes = int(value)
                if self._body_bytes > MAX_BODY_BYTES:
                    message = f"the body has more than {MAX_BODY_BYTES} bytes"
                    self._stop(RejectReason.TOO_LARGE, message, is_http=True)
            elif name == b"transfer-encoding":
                message = "send the body with a Content-Length"
                self._stop(RejectReason.LENGTH_REQUIRED, message, is_http=True)
            elif name == b"upgrade":
                is_upgrade = True
        if hosts != 1 and (hosts or version == "1.1"):
            self._stop(RejectReason.MALFORMED, "a request has one Host header", is_http=True)
        self._head_bytes = -1
        if is_upgrade:
            is_ours = self.url.partition(b"?")[0] in self.websocket_paths
            # uvicorn answers an upgrade that it does not take like any other request.
            self.ws_protocol_class = self.config.ws_protocol_class if is_ours else None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """The next piece of a body."""
        self._body_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has arrived whole."""
        self._is_arriving = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with what came meanwhile, or wait for the next request."""
        if self.connection.is_over_limit and not self.transport.is_closing():
            self.transport.close()
        super().on_response_complete()
        if self.transport.is_closing() or self._is_answering():
            return
        if self._refusal is not None:
            self._say(self._refusal)
        elif not self._reads_on:
            self.transport.close()
        elif self._held:
            held, self._held = self._held, b""
            self._parse(held)
        if self._reads_on and not self._is_arriving and not self._is_answering():
            self.registry.idle.begin(self.connection)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP."""
        self._end_with(Refusal(RejectReason.MALFORMED, f"the request is not HTTP: {msg}"[:300]))

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket protocol, if this is a handshake."""
        if self._is_answering():
            self._end_with(Refusal(RejectReason.MALFORMED, "a handshake must come alone"))
            return
        fault = _handshake_fault(self.scope, self.headers)
        if fault is not None:
            cause = f"this is no WebSocket handshake: {fault}"
            self._end_with(Refusal(RejectReason.MALFORMED, cause))
            return
        self._reads_on = False
        self.registry.arriving.end(self.connection)
        super().handle_websocket_upgrade()

    def _parse(self, data: bytes) -> None:
        """Parse slice by slice; hold back what follows a request that must wait for its turn."""
        offset = 0
        while offset < len(data) and self._reads_on:
            if self.pipeline:
                self._held = data[offset:]
                self.flow.pause_reading()
                break
            is_body = self._is_arriving and self._head_bytes < 0
            size = self._body_bytes if is_body and self._body_bytes else _SLICE_BYTES
            piece = data if not offset and len(data) <= size else data[offset : offset + size]
            offset += len(piece)
            self._feed(piece)
        if not self._reads_on:
            return
        if self._is_arriving:
            self.registry.arriving.begin(self.connection)
        else:
            self.registry.arriving.end(self.connection)

    def _feed(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self.ws_protocol_class is not None:
                self.handle_websocket_upgrade()
            else:
                # The parser takes no more of a connection that asked for another protocol.
                self._reads_on = False
                self.cycle.keep_alive = False
                self.registry.arriving.end(self.connection)
        except httptools.HttpParserError as error:
            if self._refusal is not None:
                self._end_with(self._refusal)
            elif str(error) == _BAD_VERSION or self.parser.get_method() == _PREFACE_METHOD:
                self._end_with(Refusal(RejectReason.HTTP_VERSION, _OF_VERSION))
            else:
                self.send_400_response(str(error))
        else:
            if self._is_arriving and self._head_bytes >= 0:
                self._head_bytes += len(piece)
                if self._head_bytes > MOST_HEAD_BYTES:
                    cause = (
                        f"the request is not HTTP: its head is longer than {MOST_HEAD_BYTES} bytes"
                    )
                    self._end_with(Refusal(RejectReason.TOO_LARGE, cause))

    def _stop(self, reason: RejectReason, message: str, *, is_http: bool = False) -> None:
        """Leave the parser; `_feed` says why."""
        self._refusal = Refusal(
            reason, message if is_http else f"the request is not HTTP: {message}"
        )
        raise RefusedByHead(message)

    def _end_with(self, refusal: Refusal) -> None:
        """Refuse what came last, after the answers to what came before it, and end."""
        self._reads_on = False
        self._held = b""
        self.registry.arriving.end(self.connection)
        self.registry.silent.end(self.connection)
        self.registry.idle.end(self.connection)
        self._refusal = refusal
        if not self._is_answering():
            self._say(refusal)

    def _say(self, refusal: Refusal) -> None:
        """Answer, and end the connection when the client has read it."""
        self._reads_on = False
        request_context.begin(self.connection)
        reply = refusal_reply(refusal)
        head = [STATUS_LINE[reply.status]]
        for name, value in self.server_state.default_headers:
            head.append(name + b": " + value + b"\r\n")
        for key, text in (
            ("content-type", reply.content_type),
            ("content-length", str(len(reply.body))),
            ("connection", "close"),
            *reply.headers,
        ):
            head.append(f"{key}: {text}\r\n".encode())
        # An answer to HEAD has no body. Without a URL, nothing of the request line is known.
        is_head = self.url and self.parser.get_method() == b"HEAD"
        self.transport.write(b"".join([*head, b"\r\n", b"" if is_head else reply.body]))
        self.transport.linger()  # type: ignore[attr-defined]

    def _is_answering(self) -> bool:
        """Whether a request that arrived before waits for its answer."""
        return self.cycle is not None and not self.cycle.response_complete

    def _is_said(self) -> bool:
        """Whether the last word was said already."""
        return not self._reads_on and not self._is_answering()

    def _may_be_told(self) -> bool:
        """Whether an error would be taken for the answer to the unfinished request."""
        is_first = not self.pipeline and (
            not self._is_answering()
            or (self._is_arriving and self._head_bytes < 0 and not self.cycle.response_started)
        )
        return is_first and not self.transport.unread_bytes()  # type: ignore[attr-defined]


def _handshake_fault(scope: Any, headers: list[tuple[bytes, bytes]]) -> str | None:
    """What is wrong with a WebSocket handshake (RFC 6455, 4.2.1), or None."""
    fields = dict(headers)
    if scope["method"] != "GET" or scope["http_version"] != "1.1":
        return "it is a GET of HTTP/1.1"
    if fields.get(b"sec-websocket-version") != _WEBSOCKET_VERSION:
        return "Sec-WebSocket-Version is 13"
    if fields.get(b"content-length", b"0") != b"0":
        return "it has no body"
    if any(len(name) + len(value) > MOST_HANDSHAKE_HEADER_BYTES for name, value in headers):
        return f"a header has {MOST_HANDSHAKE_HEADER_BYTES} bytes at most"
    try:
        key = base64.b64decode(fields.get(b"sec-websocket-key", b""), validate=True)
    except binascii.Error:
        key = b""
    return None if len(key) == 16 else "Sec-WebSocket-Key is 16 bytes in base64"
