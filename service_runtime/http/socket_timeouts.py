"""A client that starts a request and falls silent loses its connection, so it can't hold a thread.

gunicorn's threaded worker waits without bound for the rest of a request. The kernel's receive
time-out, inherited from the listening socket, ends that wait with an error that closes the
connection.
"""

import socket
import struct
from collections.abc import Iterable
from typing import Any

SILENCE_S = 10
MAX_BODY_BYTES = 1_000_000
"""A request body above this is refused unread."""


def limit_silence(listeners: Iterable[Any]) -> None:
    """Connections accepted from now on break off a read after SILENCE_S, a write likewise."""
    for listener in listeners:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE_S, 0))


def allow_silence(environ: dict[str, Any]) -> None:
    """Lift the read limit for this connection: a WebSocket client may listen for hours and say
    nothing.
    """
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
