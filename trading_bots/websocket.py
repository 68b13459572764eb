"""The WebSocket under the stream and under order entry: opened when needed, again after a cut."""

from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

_OPEN_TIMEOUT_S = 5.0
"""As long as a request over REST may take."""
_LONGEST_FRAME_BYTES = 1 << 24
"""Far above what the venue sends (1 MB); a longer frame ends the connection like any other cut."""
_CLOSE_TIMEOUT_S = 1.0
"""The venue answers a closing frame at once; a venue that is gone must not delay the bot."""

CONNECTION_FAULTS = (OSError, TimeoutError, InvalidHandshake, ConnectionClosed)
"""What `connected` and the connection's own methods raise when there is no connection (any more).

`ConnectionClosed` is raised in the handshake too, by a service that dies between accept and answer.
"""


class ReopeningWebSocket:
    """One connection to one path of a service. One thread uses it; `drop` may come from another."""

    def __init__(self, base_url: str, path: str, api_key: str | None = None) -> None:
        parts = urlsplit(base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._url = urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._connection: ClientConnection | None = None

    @property
    def current(self) -> ClientConnection | None:
        """The open connection; None before the first and after a cut."""
        return self._connection

    def connected(self) -> ClientConnection:
        """The open connection, or a new one; raises one of CONNECTION_FAULTS."""
        if self._connection is None:
            # Entered here and left by `drop`: it outlives any one block.
            self._connection = connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                proxy=None,
                max_size=_LONGEST_FRAME_BYTES,
            ).__enter__()
        return self._connection

    def drop(self) -> None:
        """Close the connection, if there is one; the next `connected` opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
