"""Connections of the load generator: raw sockets that are never waited for, as little Python as an
answer allows.
"""

import base64
import os
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

_READ_BYTES = 1 << 18
_CONNECT_S = 10.0
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_FINAL, _MASKED = 0x80, 0x80
_NO_MASK = b"\0\0\0\0"
"""A mask that changes nothing: masks protect caches between strangers, and would cost more than the
order.
"""
_LONGEST_HEAD = 1 << 16


class ConnectionLost(Exception):
    """The other end closed, or said what is no answer."""


class Connection:
    """A socket with what waits to be sent and what was read of an answer."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.host = f"{address.hostname}:{address.port}"
        self.socket = socket.create_connection(
            (str(address.hostname), int(address.port or 80)), timeout=_CONNECT_S
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unsent = b""
        self._read = bytearray()

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    def write(self, content: bytes) -> None:
        """Send now what the kernel takes, the rest with `flush`. Raises ConnectionLost."""
        self.unsent += content
        self.flush()

    def flush(self) -> None:
        """Send more of what waits. Raises ConnectionLost."""
        try:
            sent = self.socket.send(self.unsent) if self.unsent else 0
        except BlockingIOError:
            return
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        self.unsent = self.unsent[sent:]

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def _receive(self) -> None:
        try:
            received = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        if not received:
            raise ConnectionLost("closed by the venue")
        self._read += received


class HttpConnection(Connection):
    """Keep-alive HTTP/1.1.

    The key is of each request, so one connection can serve several accounts.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.socket.setblocking(False)

    def post(self, path: str, api_key: str, body: str) -> None:
        """Send one request. Raises ConnectionLost."""
        content = body.encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {api_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.write(head.encode() + content)

    def answers(self) -> Iterator[tuple[int, bytes]]:
        """Status and body of each answer that is whole now. Raises ConnectionLost."""
        self._receive()
        while True:
            head_end = self._read.find(b"\r\n\r\n")
            if head_end < 0:
                return
            head = bytes(self._read[:head_end]).lower()
            length_at = head.find(b"content-length:")
            if length_at < 0 or not head.startswith(b"http/1.1 "):
                raise ConnectionLost("no HTTP answer with a length")
            end = head_end + 4 + int(head[length_at + 15 :].split(b"\r\n", 1)[0])
            if len(self._read) < end:
                return
            body = bytes(self._read[head_end + 4 : end])
            del self._read[:end]
            yield int(head[9:12]), body
            if b"connection: close" in head:
                raise ConnectionLost("closed by the venue after an answer")


class WebSocketConnection(Connection):
    """One WebSocket of one client (RFC 6455), opened with its key."""

    def __init__(self, url: str, path: str, api_key: str) -> None:
        super().__init__(url)
        nonce = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Authorization: Bearer {api_key}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {nonce}\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        while b"\r\n\r\n" not in self._read and len(self._read) < _LONGEST_HEAD:
            self._receive()
        answer, _, rest = bytes(self._read).partition(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101"):
            raise ConnectionLost(answer.split(b"\r\n", 1)[0].decode(errors="replace"))
        self._read = bytearray(rest)
        self.socket.setblocking(False)

    def send(self, text: str) -> None:
        """Send one text frame. Raises ConnectionLost."""
        self._frame(_TEXT, text.encode())

    def frames(self) -> Iterator[bytes]:
        """The content of each text frame that is whole now; pings are answered.

        Raises ConnectionLost.
        """
        self._receive()
        while (found := self._whole_frame()) is not None:
            kind, content = found
            if kind == _PING:
                self._frame(_PONG, content)
            elif kind == _CLOSE:
                raise ConnectionLost(content[2:].decode(errors="replace") or "closed by the venue")
            elif kind == _TEXT:
                yield content

    def _frame(self, kind: int, content: bytes) -> None:
        size = len(content)
        if size < 126:
            head = struct.pack("!BB", _FINAL | kind, _MASKED | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", _FINAL | kind, _MASKED | 126, size)
        else:
            head = struct.pack("!BBQ", _FINAL | kind, _MASKED | 127, size)
        self.write(head + _NO_MASK + content)

    def _whole_frame(self) -> tuple[int, bytes] | None:
        """Kind and content of the first frame read, taken out; a server's frames are unmasked and
        here never split.
        """
        read = self._read
        if len(read) < 2:
            return None
        size, start = read[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(read[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(read[2:10], "big"), 10
        if len(read) < start or len(read) < start + size:
            return None
        kind, content = read[0] & 0x0F, bytes(read[start : start + size])
        del read[: start + size]
        return kind, content
