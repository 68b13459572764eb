"""uvicorn's WebSocket protocol with bounds: it reads no faster than its frames are handled, and
ends in order when the service does.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGIReceiveEvent
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame
from websockets.http11 import Request

from service_runtime.http.connections import Connection, CutReason

SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
MESSAGE_TOO_BIG = 1009
_FAREWELL_BUFFER_BYTES = 1 << 19
_CLOSE_WITHIN_S = 5.0
_MOST_FRAGMENTS = 1_000
"""Of one message: empty ones count for nothing against its size."""
_SLICE_BYTES = 16_384
"""So much is parsed at a time: frames become objects some fifty times their size."""


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket, from its handshake on."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.connection: Connection
        self._held = b""
        """Bytes to parse once the frames before them are handled."""
        self.on_writable: Callable[[], object] | None = None
        """Called when the client has read most of what was sent, and when it is gone."""
        self.on_service_end: Callable[[], object] | None = None
        """Called when the service ends, before `receive` says so."""

    def connection_made(self, transport: Any) -> None:
        """The connection changes hands."""
        super().connection_made(transport)
        self.connection = transport.connection
        self.connection.protocol = self

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, however it went."""
        self.connection.leave()
        self._held = b""
        super().connection_lost(exc)
        if self.on_writable is not None:
            self.on_writable()

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless frames before it wait to be handled or answers to be read."""
        if self._held:
            self._held += data
            self._stop_reading()
        else:
            self._parse(data)

    def handle_connect(self, event: Request) -> None:
        """The handshake: the application learns whose connection it is."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["state"]["connection"] = self.connection
            self.scope["state"]["protocol"] = self

    def handle_cont(self, event: Frame) -> None:
        """The next fragment of a message; the size of all is bounded, their number here."""
        if len(self.frames) < _MOST_FRAGMENTS:
            super().handle_cont(event)
        else:
            self.conn.fail(MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()

    async def receive(self) -> ASGIReceiveEvent:
        """The next event for the application."""
        self._go_on()
        event = await super().receive()
        if self._held:
            self._stop_reading()
        return event

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._go_on()
        if self.on_writable is not None:
            self.on_writable()

    def shutdown(self) -> None:
        """The service ends: the application finishes what it began and closes."""
        self.stop_keepalive()
        if self.close_sent or not self.handshake_complete:
            super().shutdown()
            return
        if self.on_service_end is not None:
            self.on_service_end()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": SERVICE_RESTART})

    def cut(self, reason: CutReason) -> None:
        """End it now, and say so if that can be sent at once."""
        if self.transport.is_closing() or not self.writable.is_set() or self.close_sent:
            self.transport.abort()
            return
        self.stop_keepalive()
        self.close_sent = True
        self.conn.send_close(TRY_AGAIN_LATER, "too many connections without a key")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.queue.put_nowait({"type": "websocket.disconnect", "code": TRY_AGAIN_LATER})
        self.transport.close()

    def write_frames(self, frames: bytes) -> None:
        """Send whole data frames, encoded by the caller: one encoding serves many sockets."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frames)

    def unread_bytes(self) -> int:
        """How much was written that the kernel has not taken."""
        return self.transport.get_write_buffer_size()

    def is_gone(self) -> bool:
        """Whether nothing can be sent any more."""
        return self.disconnected or self.close_sent or self.transport.is_closing()

    def end(self, code: int, reason: str) -> None:
        """Send a close frame after what was written; close when the client has answered it, or has
        taken too long.
        """
        if self.is_gone():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        # The kernel takes it all, so it reaches a client that reads again much later.
        kernel = self.transport.get_extra_info("socket")
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _FAREWELL_BUFFER_BYTES)
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._held = b""
        self.read_paused = False
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_CLOSE_WITHIN_S, self.transport.close)

    def _parse(self, data: bytes) -> None:
        offset = 0
        while offset < len(data) and not self.transport.is_closing():
            # After our close frame only the client's is awaited; all else is dropped.
            if not self.close_sent and not (self.queue.empty() and self.writable.is_set()):
                self._held = data[offset:]
                self._stop_reading()
                return
            piece = data if len(data) <= _SLICE_BYTES else data[offset : offset + _SLICE_BYTES]
            offset += len(piece)
            super().data_received(piece)

    def _go_on(self) -> None:
        """Parse what was held back."""
        if self._held and self.queue.empty() and self.writable.is_set():
            held, self._held = self._held, b""
            self._parse(held)
            if not self._held and self.queue.empty():
                self.read_paused = False
                self.transport.resume_reading()

    def _stop_reading(self) -> None:
        """Until the application has taken what there is."""
        self.read_paused = True
        self.transport.pause_reading()
