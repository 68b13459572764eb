"""gunicorn's socket, lent to a WebSocket: who borrows it may read, write and shut it down, but not
close it.

simple-websocket closes its socket in a thread of its own. gunicorn's loop may watch the same socket
by then; its descriptor would go to the next connection while the loop still holds it for this one,
and the worker would end.
"""

from typing import Any


class LentSocket:
    """A socket that somebody else closes."""

    def __init__(self, owned: Any) -> None:
        self._owned = owned

    def close(self) -> None:
        """Nothing: the loop closes it once the conversation has ended."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._owned, name)


def lend_socket(environ: dict[str, Any]) -> None:
    """Put the lent socket in place of gunicorn's, for whoever upgrades this request."""
    owned = environ.get("gunicorn.socket")
    if owned is not None:
        environ["gunicorn.socket"] = LentSocket(owned)
