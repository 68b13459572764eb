"""Strangers of one kind, in a process of their own: `python -m venue_trials.bench.strangers_process
URL KIND COUNT`. Opens the connections, says `ready`, and holds them until its input ends.

One that is cut off comes back at once.
"""

import resource
import selectors
import socket
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_EACH_S = 1.0
"""How often a connection that trickles sends one byte more."""
_MOST_NEW = 200
"""Connections opened in one go: more would only wait in the backlog."""
_HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Trickle: "
_BODY = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
_UNREAD = 8 * b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
_HANDSHAKE = (
    b"GET /v1/order-entry HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@dataclass(frozen=True)
class Kind:
    """What a stranger sends at once, and then byte by byte, and whether it reads."""

    begins: bytes
    trickles: bytes = b""
    is_reading: bool = True


KINDS = {
    "silent": Kind(b""),
    "half-open": Kind(_BODY + b"{"),
    "trickling": Kind(_HEAD, b"x"),
    "trickling-body": Kind(_BODY, b"x"),
    "slow-reader": Kind(_UNREAD, is_reading=False),
    "websocket": Kind(_HANDSHAKE),
}


class Strangers:
    """The connections of one kind."""

    def __init__(self, url: str, kind: Kind, count: int) -> None:
        address = urlsplit(url)
        self._address = (str(address.hostname), int(address.port or 80))
        self._kind = kind
        self._count = count
        self._open: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin, selectors.EVENT_READ)

    def hold(self) -> None:
        """Keep them open until the input ends."""
        is_ready, trickle_s = False, time.monotonic()
        while True:
            self._open_more()
            if not is_ready and len(self._open) >= self._count:
                print("ready", flush=True)
                is_ready = True
            for key, _ in self._selector.select(0.05):
                if key.fileobj is sys.stdin:
                    return
                self._look(key.fileobj)  # type: ignore[arg-type]
            if self._kind.trickles and time.monotonic() >= trickle_s:
                trickle_s = time.monotonic() + _EACH_S
                for connection in list(self._open):
                    self._send(connection, self._kind.trickles)

    def _open_more(self) -> None:
        for _ in range(min(_MOST_NEW, self._count - len(self._open))):
            connection = socket.socket()
            if not self._kind.is_reading:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                connection.connect(self._address)
            except OSError:
                connection.close()
                return
            connection.setblocking(False)
            self._open.add(connection)
            if self._kind.is_reading:
                self._selector.register(connection, selectors.EVENT_READ)
            self._send(connection, self._kind.begins)

    def _look(self, connection: socket.socket) -> None:
        try:
            if connection.recv(65_536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(connection)

    def _send(self, connection: socket.socket, content: bytes) -> None:
        try:
            connection.send(content)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        if connection in self._open:
            self._open.discard(connection)
            if self._kind.is_reading:
                self._selector.unregister(connection)
            connection.close()


def main(url: str, kind: str, count: str) -> None:
    """Hold the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(count) + 100
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    Strangers(url, KINDS[kind], int(count)).hold()


if __name__ == "__main__":
    main(*sys.argv[1:])
