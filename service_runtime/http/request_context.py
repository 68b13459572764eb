"""The request or conversation that the running code works for: its id, its connection, its caller.

Held in a context variable, so that it is found on the loop and in the threads that work for it.
"""

import uuid
from contextvars import ContextVar

from service_runtime.http.connections import Connection

UNKNOWN_ROUTE = "unknown"
"""What metrics call a path that fits no rule: strangers may invent as many as they like."""


class RequestContext:
    """Of one HTTP request, or of one WebSocket for as long as it is open."""

    __slots__ = ("_request_id", "connection", "route")

    def __init__(self, connection: Connection | None = None) -> None:
        self.connection = connection
        self.route = UNKNOWN_ROUTE
        """The rule that the path fits, such as `/v1/things/<int:thing_id>`."""
        self._request_id: str | None = None

    @property
    def request_id(self) -> str:
        """32 hexadecimal digits; made when first asked for, as most answers do not show it."""
        if self._request_id is None:
            self._request_id = uuid.uuid4().hex
        return self._request_id


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def begin(connection: Connection | None = None) -> RequestContext:
    """A new request begins in this context."""
    context = RequestContext(connection)
    _current.set(context)
    return context


def request_id() -> str | None:
    """Id of the current request, None outside of one."""
    context = _current.get()
    return None if context is None else context.request_id


def note_route(rule: str) -> None:
    """The current request's path fits this rule."""
    context = _current.get()
    if context is not None:
        context.route = rule


def note_caller(client_id: str) -> None:
    """The current request showed a good key of this client: its connection is no stranger's."""
    context = _current.get()
    if context is not None and context.connection is not None:
        context.connection.belongs_to(client_id)
