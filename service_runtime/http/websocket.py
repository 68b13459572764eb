"""One WebSocket as a conversation sees it."""

import socket
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from service_runtime.http.answers import Reply
from service_runtime.http.connections import Connection
from service_runtime.http.websocket_protocol import SERVICE_RESTART, BoundedWebSocketProtocol
from service_runtime.http.worker_threads import WorkerThreads
from venue_protocol.refusals import RejectReason, refuse

_SMALL_BUFFER_BYTES = 1 << 16


def refuse_without_handshake() -> NoReturn:
    """Answers a plain GET of a WebSocket's path."""
    raise refuse(RejectReason.MALFORMED, "this is no WebSocket handshake: send Upgrade: websocket")


class WebSocket:
    """Accept it or refuse it, then receive and send. On the server's loop only."""

    def __init__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
        threads: WorkerThreads,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.threads = threads
        self.connection: Connection = scope["state"]["connection"]
        self.protocol: BoundedWebSocketProtocol = scope["state"]["protocol"]
        self.is_open = False
        self.is_service_ending = False
        """Whether the conversation ended because the service stops."""

    def header(self, name: bytes) -> str | None:
        """The value of the handshake's first header with this lower-case name."""
        for each, value in self._scope["headers"]:
            if each == name:
                return str(value.decode("latin-1"))
        return None

    async def accept(self, most_message_bytes: int) -> None:
        """Open it; messages may have so many bytes."""
        await self._receive()
        self.limit_messages(most_message_bytes)
        await self._send({"type": "websocket.accept"})
        self.is_open = True

    def limit_messages(self, most_bytes: int) -> None:
        """Messages may have so many bytes from now on."""
        self.protocol.conn.max_message_size = most_bytes

    def allow_unread(self, most_bytes: int) -> None:
        """`drain` waits while the client has more than this to read."""
        self.protocol.transport.set_write_buffer_limits(high=most_bytes)

    def keep_kernel_buffer_small(self) -> None:
        """So that how far the client lags is seen in `unread_bytes`: by itself the kernel takes up
        to 4 MB.
        """
        kernel = self.protocol.transport.get_extra_info("socket")
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL_BUFFER_BYTES)

    async def refuse(self, reply: Reply) -> None:
        """Answer the handshake with an error."""
        await self._receive()
        headers = [
            (b"content-type", reply.content_type.encode()),
            *((name.encode(), value.encode()) for name, value in reply.headers),
        ]
        start = {"type": "websocket.http.response.start", "status": reply.status}
        await self._send(start | {"headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": reply.body})

    async def receive(self) -> bytes | str | None:
        """The next message; None once the client has gone or the service ends."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            self.is_service_ending = event.get("code") == SERVICE_RESTART
            self.is_open = self.is_service_ending
            return None
        text: str | None = event.get("text")
        return event["bytes"] if text is None else text

    async def send_text(self, text: str) -> None:
        """Send one message, once the client has read most of those before it."""
        if self.is_open:
            await self._send({"type": "websocket.send", "text": text})

    def write(self, frames: bytes) -> None:
        """Send whole frames at once; `drain` before more, so that no more than those pile up."""
        if self.is_open:
            self.protocol.write_frames(frames)

    async def drain(self) -> None:
        """Wait until the client has read most of what was written, or has gone."""
        await self.protocol.writable.wait()

    def abort(self) -> None:
        """Drop the connection without a word."""
        self.protocol.transport.abort()

    async def close(self, code: int, reason: str) -> None:
        """Close it, if it is still open."""
        if self.is_open:
            self.is_open = False
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
