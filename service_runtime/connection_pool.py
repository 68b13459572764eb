"""A few connections for many threads. Our own, because SQLAlchemy's costs half of a service's start."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class PoolExhausted(RuntimeError):
    """Every connection is in use and none came back in time."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A connection in use. Its generation tells whether the pool has been renewed since."""

    connection: Any
    generation: int


class ConnectionPool:
    """At most `size` connections, the one used last first. Every lease must be given back or dropped. Thread-safe."""

    def __init__(self, connect: Callable[[], Any], size: int, patience_s: float) -> None:
        self._connect = connect
        self._patience_s = patience_s
        self._places = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._generation = 0

    def take(self) -> Lease:
        """A connection, new where none is idle. Raises PoolExhausted, and whatever connecting raises."""
        if not self._places.acquire(timeout=self._patience_s):
            raise PoolExhausted(f"no connection came free within {self._patience_s} s")
        with self._lock:
            generation = self._generation
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            return Lease(idle, generation)
        try:
            return Lease(self._connect(), generation)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, lease: Lease) -> None:
        """The connection is in order: the next may have it, unless the pool was renewed since."""
        with self._lock:
            is_current = lease.generation == self._generation
            if is_current:
                self._idle.append(lease.connection)
        if not is_current:
            _close(lease.connection)
        self._places.release()

    def drop(self, lease: Lease) -> None:
        """The connection is dead: close it, and the idle ones with it (the server probably restarted)."""
        with self._lock:
            stale: list[Any] = []
            if lease.generation == self._generation:
                self._generation += 1
                stale, self._idle = self._idle, []
        for connection in (lease.connection, *stale):
            _close(connection)
        self._places.release()

    def close(self) -> None:
        """Close the idle connections; those in use are closed when they come back."""
        with self._lock:
            self._generation += 1
            idle, self._idle = self._idle, []
        for connection in idle:
            _close(connection)


def _close(connection: Any) -> None:
    """Closing a psycopg2 connection sends at most a goodbye and raises nothing, dead or alive."""
    connection.close()
