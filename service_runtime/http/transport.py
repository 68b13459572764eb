"""A transport that lets unread answers arrive before it closes, and closes at last in any case."""

import asyncio
from collections.abc import Callable
from typing import Any

from service_runtime.http.connections import Connection, Connections


class LingeringTransport:
    """uvloop's transport as uvicorn's protocols see it.

    `close` waits for unread answers only as long as an answer may take: by itself it would wait for
    ever. `linger` ends our side and leaves the other to close: closing while the client still sends
    resets the connection, and destroys the answer that it has not read yet (RFC 9112, 9.6).
    """

    def __init__(
        self, transport: asyncio.Transport, connection: Connection, connections: Connections
    ) -> None:
        self.connection = connection
        self._transport = transport
        self._connections = connections
        # Bound here, not looked up by __getattr__: they are called for every request.
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.unread_bytes = transport.get_write_buffer_size
        self._corked: list[bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def cork(self) -> None:
        """Keep what is written until `uncork`: uvicorn writes head and body of an answer apart, and
        each write is a call of the kernel and a packet.
        """
        self._corked = []
        self.write = self._corked.append

    def uncork(self) -> None:
        """Write what was kept, at once."""
        kept, self._corked = self._corked, None
        if kept is not None:
            self.write = self._transport.write
            if kept and not self.is_closing():
                self.write(b"".join(kept))

    def close(self) -> None:
        """Close once all is sent, or when that takes too long."""
        self.uncork()
        self._transport.close()
        if self.unread_bytes():
            self._connections.unread.begin(self.connection)

    def linger(self) -> None:
        """Send what is left and end our side; the client closes, or is cut off soon."""
        self.uncork()
        self._connections.lingering.begin(self.connection)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.resume_reading()
