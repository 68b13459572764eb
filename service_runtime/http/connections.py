"""Who is connected: how many strangers and known clients there may be, and how long each may take.

A connection is a stranger's until a request on it shows a good key. Strangers are limited in all
and by address; one too many and the oldest stranger goes, so that a client with a key always gets
in. Everything here runs on the server's loop, except `Connection.belongs_to`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from prometheus_client import Counter, Gauge

log = logging.getLogger(__name__)

open_connections = Gauge("venue_open_connections", "Connections open now, by whose", ["whose"])
connections_cut = Counter("venue_connections_cut_total", "Connections cut off, by why", ["reason"])


class CutReason(Enum):
    """Why a connection is cut off, as the metric says it."""

    SILENT = "silent"
    """It opened and did not begin a request."""
    SLOW_REQUEST = "slow_request"
    """A request was begun and did not arrive whole in time."""
    SLOW_READER = "slow_reader"
    """An answer was not read in time."""
    IDLE = "idle"
    """No request came for long after the last one was answered."""
    LINGERING = "lingering"
    """It did not close after its last answer."""
    CROWDED_OUT = "crowded_out"
    """It was the oldest of too many strangers."""
    FULL = "full"
    """It came when known clients took all there is."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of a server; docs/limits.md lists them with their tests."""

    most: int = 16_384
    """Connections in all. One costs about 20 kB, so all together some 300 MB."""
    most_strangers: int = 8_192
    """Connections without a good key, in all: half, so that the rest is left for known keys."""
    most_strangers_of_an_address: int = 2_048
    """A lecture hall of 300 behind one address, each with a browser's 6 connections, fits."""
    most_of_a_client: int = 2_048
    """Connections of one key's client that are kept open; those beyond are closed once answered."""
    silent_s: float = 10.0
    """From the opening to the first byte of a request."""
    request_s: float = 10.0
    """From the first byte of a request to the last of its body."""
    answer_s: float = 10.0
    """From when an answer fills its buffer until it is read."""
    idle_s: float = 75.0
    """Between two requests; longer than the 60 s for which proxies keep connections."""
    linger_s: float = 2.0
    """For the client to close after a refusal, so that the refusal is not lost (RFC 9112, 9.6)."""


class Cuttable(Protocol):
    """The protocol that drives a connection now: HTTP first, WebSocket after an upgrade."""

    transport: Any

    def cut(self, reason: CutReason) -> None:
        """End it now, with a word why where the protocol allows."""
        ...


class Connection:
    """One accepted socket."""

    __slots__ = ("_connections", "address", "client_id", "is_over_limit", "protocol")

    def __init__(self, connections: "Connections", address: str, protocol: Cuttable) -> None:
        self._connections = connections
        self.address = address
        self.protocol = protocol
        self.client_id: str | None = None
        self.is_over_limit = False
        """Whether it is to be closed once its request is answered."""

    def belongs_to(self, client_id: str) -> None:
        """A request on it showed a good key of this client. From any thread."""
        if self.client_id != client_id:
            self._connections.on_loop(self._connections.identify, self, client_id)

    def leave(self) -> None:
        """It is gone."""
        self._connections.leave(self)


class Deadlines:
    """Connections from which one thing is awaited, with one patience for all: the first due is the
    first in.
    """

    def __init__(self, patience_s: float, reason: CutReason) -> None:
        self._patience_s = patience_s
        self.reason = reason
        self._due: dict[Connection, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def begin(self, connection: Connection) -> None:
        """From now on it is awaited, unless it is already."""
        if connection not in self._due:
            self._due[connection] = time.monotonic() + self._patience_s

    def end(self, connection: Connection) -> None:
        """It came, or the connection is gone."""
        self._due.pop(connection, None)

    def take_due(self, now_s: float) -> list[Connection]:
        """Connections whose time is over; they are awaited no longer."""
        due: list[Connection] = []
        for connection, due_s in self._due.items():
            if due_s > now_s:
                break
            due.append(connection)
        for connection in due:
            del self._due[connection]
        return due

    def take_all(self) -> list[Connection]:
        """All of them; none is awaited any longer."""
        due = list(self._due)
        self._due.clear()
        return due


class Connections:
    """All connections of one server."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._strangers: dict[Connection, None] = {}
        """Oldest first; likewise of each address and each client."""
        self._strangers_of: dict[str, dict[Connection, None]] = {}
        self._known: dict[str, dict[Connection, None]] = {}
        self._known_count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self.silent = Deadlines(limits.silent_s, CutReason.SILENT)
        self.arriving = Deadlines(limits.request_s, CutReason.SLOW_REQUEST)
        self.unread = Deadlines(limits.answer_s, CutReason.SLOW_READER)
        self.idle = Deadlines(limits.idle_s, CutReason.IDLE)
        self.lingering = Deadlines(limits.linger_s, CutReason.LINGERING)
        self._deadlines = (self.silent, self.arriving, self.unread, self.idle, self.lingering)

    def run_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop that drives the connections; called in its thread."""
        self._loop, self._loop_thread = loop, threading.get_ident()

    def on_loop(self, function: Callable[..., None], *arguments: object) -> None:
        """Call `function` on the loop: at once there, soon from another thread."""
        if self._loop is None or threading.get_ident() == self._loop_thread:
            function(*arguments)
        else:
            self._loop.call_soon_threadsafe(function, *arguments)

    def enter(self, connection: Connection) -> None:
        """A stranger comes; the oldest of too many goes, or the newcomer where there is none."""
        limits, neighbors = self._limits, self._strangers_of.get(connection.address)
        if neighbors is not None and len(neighbors) >= limits.most_strangers_of_an_address:
            self._cut(next(iter(neighbors)), CutReason.CROWDED_OUT)
        elif (
            len(self._strangers) >= limits.most_strangers
            or len(self._strangers) + self._known_count >= limits.most
        ):
            if not self._strangers:
                connections_cut.labels(CutReason.FULL.value).inc()
                connection.protocol.cut(CutReason.FULL)
                return
            self._cut(next(iter(self._strangers)), CutReason.CROWDED_OUT)
        self._strangers[connection] = None
        self._strangers_of.setdefault(connection.address, {})[connection] = None
        self.silent.begin(connection)

    def identify(self, connection: Connection, client_id: str) -> None:
        """The connection is this client's from now on."""
        if not self._remove(connection):
            return
        connection.client_id = client_id
        siblings = self._known.setdefault(client_id, {})
        connection.is_over_limit = len(siblings) >= self._limits.most_of_a_client
        siblings[connection] = None
        self._known_count += 1

    def leave(self, connection: Connection) -> None:
        """The connection is gone."""
        self._remove(connection)
        for deadlines in self._deadlines:
            deadlines.end(connection)

    def sweep(self) -> None:
        """Cut off those who take too long. Called ten times a second."""
        now_s = time.monotonic()
        for deadlines in self._deadlines:
            for connection in deadlines.take_due(now_s):
                self._cut(connection, deadlines.reason)
        open_connections.labels("stranger").set(len(self._strangers))
        open_connections.labels("client").set(self._known_count)

    def cut_unfinished(self) -> None:
        """Cut off those whose request has not arrived whole: the service ends."""
        for connection in self.arriving.take_all():
            self._cut(connection, CutReason.SLOW_REQUEST)

    def _cut(self, connection: Connection, reason: CutReason) -> None:
        connections_cut.labels(reason.value).inc()
        self.leave(connection)
        connection.protocol.cut(reason)

    def _remove(self, connection: Connection) -> bool:
        """Whether it was there."""
        if connection in self._strangers:
            del self._strangers[connection]
            neighbors = self._strangers_of[connection.address]
            del neighbors[connection]
            if not neighbors:
                del self._strangers_of[connection.address]
            return True
        siblings = self._known.get(connection.client_id or "")
        if siblings is None or connection not in siblings:
            return False
        del siblings[connection]
        self._known_count -= 1
        if not siblings:
            del self._known[connection.client_id or ""]
        return True
