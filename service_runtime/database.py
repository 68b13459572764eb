"""Postgres: pooled connections, transactions, and the line between "try again" and "our fault"."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg2
import sqlalchemy
from psycopg2 import errors
from sqlalchemy.pool import QueuePool

from service_runtime.backoff import Backoff

log = logging.getLogger(__name__)

Cursor = Any
"""A psycopg2 cursor. The driver's own type is not exported by name."""
T = TypeVar("T")

_AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError, sqlalchemy.exc.TimeoutError)
_DRIVER_ERRORS = (psycopg2.Error, sqlalchemy.exc.SQLAlchemyError)
_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)
"""Kinds of OperationalError too, so they are asked for first: the connection is sound, nothing was
committed.
"""


class DatabaseUnavailable(RuntimeError):
    """The database can't be asked now; nothing was committed. Trying again later is safe."""


class CommitUnknown(DatabaseUnavailable):
    """The connection was lost during COMMIT: it may or may not have happened."""


class Database:
    """A pool of connections to one database with one role."""

    def __init__(
        self, url: str, name: str, pool_size: int = 4, statement_timeout_ms: int = 30_000
    ) -> None:
        self._url = url
        self._name = name
        self._statement_timeout_ms = statement_timeout_ms
        self._pool = QueuePool(self._connect, pool_size=pool_size, max_overflow=0, timeout=5)
        self._renewing = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor inside one transaction: committed at the end of the block, rolled back on any
        error.

        Raises DatabaseUnavailable (nothing committed) or CommitUnknown (lost during COMMIT).
        """
        pool, connection = self._checkout()
        with self._ended_by_errors(pool, connection, DatabaseUnavailable):
            yield connection.cursor()
        with self._ended_by_errors(pool, connection, CommitUnknown):
            connection.commit()
        self._give_back(pool, connection)

    def run(self, work: Callable[[Cursor], T], stopping: threading.Event | None = None) -> T:
        """The result of `work` in a transaction, tried until it commits. `work` must be safe to
        repeat.

        Raises DatabaseUnavailable only when `stopping` is set meanwhile.
        """
        backoff = Backoff()
        while True:
            try:
                with self.transaction() as cursor:
                    return work(cursor)
            except DatabaseUnavailable as error:
                if stopping is not None and stopping.is_set():
                    raise
                log.warning(
                    "database unavailable, will try again",
                    extra={"database": self._name, "error": str(error)},
                )
                pause_s = backoff.next_s()
                if stopping is not None:
                    stopping.wait(pause_s)
                else:
                    time.sleep(pause_s)

    def is_ready(self) -> bool:
        """Whether a statement succeeds now."""
        try:
            with self.transaction() as cursor:
                cursor.execute("SELECT 1")
            return True
        except DatabaseUnavailable:
            return False

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.dispose()

    def _connect(self) -> Any:
        return psycopg2.connect(
            self._url,
            application_name=self._name,
            connect_timeout=3,
            options=f"-c statement_timeout={self._statement_timeout_ms} -c timezone=UTC -c jit=off",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )

    def _checkout(self) -> tuple[QueuePool, Any]:
        pool = self._pool
        try:
            return pool, pool.connect()
        except _DRIVER_ERRORS as error:
            raise DatabaseUnavailable(str(error).strip()) from error

    def _give_back(self, pool: QueuePool, connection: Any) -> None:
        """For the next to use; closed instead when its pool was renewed meanwhile and nobody would
        ask it again.
        """
        if pool is not self._pool:
            connection.invalidate()
        connection.close()

    def _discard(self, pool: QueuePool, connection: Any) -> None:
        """It did not do what it was asked: drop it, and the idle ones of its pool (the server
        probably restarted).
        """
        connection.invalidate()
        connection.close()
        with self._renewing:
            if pool is self._pool:
                self._pool = pool.recreate()
        pool.dispose()

    @contextmanager
    def _ended_by_errors(
        self, pool: QueuePool, connection: Any, when_away: type[DatabaseUnavailable]
    ) -> Iterator[None]:
        """Any error of the block ends the transaction; `when_away` if the server is to blame."""
        try:
            yield
        except _CONFLICTS as error:
            self._roll_back(pool, connection)
            raise DatabaseUnavailable(str(error).strip()) from error
        except _DRIVER_ERRORS as error:
            if not _is_away(error, connection):
                self._roll_back(pool, connection)
                raise
            self._discard(pool, connection)
            raise when_away(str(error).strip()) from error
        except BaseException:
            self._roll_back(pool, connection)
            raise

    def _roll_back(self, pool: QueuePool, connection: Any) -> None:
        try:
            connection.rollback()
            connection.close()
        except _DRIVER_ERRORS:
            self._discard(pool, connection)


def _is_away(error: Exception, connection: Any) -> bool:
    """Whether the server is to blame.

    When it dies libpq may say so without an SQLSTATE: a bare DatabaseError.
    """
    if isinstance(error, _AWAY) or type(error) is psycopg2.DatabaseError:
        return True
    driver = connection.dbapi_connection
    return driver is None or bool(driver.closed)
