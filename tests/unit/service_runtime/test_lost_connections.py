"""What a driver raises when its server dies is told apart from what the statement did wrong."""

from typing import Any

import psycopg2
import pytest

from service_runtime.database import CommitUnknown, Database, DatabaseUnavailable

SERVER_DIED = "server closed the connection unexpectedly"


class DyingConnection:
    """A connection whose server dies: libpq's own words come without an SQLSTATE, as the bare
    DatabaseError.
    """

    def __init__(self, fails_at: str, error: type[psycopg2.Error], closed: int) -> None:
        self._fails_at = fails_at
        self._error = error
        self._closed_after = closed
        self.closed = 0

    def cursor(self) -> "DyingConnection":
        return self

    def execute(self, _statement: str) -> None:
        self._fail("execute")

    def commit(self) -> None:
        self._fail("commit")

    def rollback(self) -> None:
        if self.closed:
            raise psycopg2.InterfaceError("connection already closed")

    def close(self) -> None:
        self.closed = 1

    def _fail(self, at: str) -> None:
        if at == self._fails_at:
            self.closed = self._closed_after
            raise self._error(SERVER_DIED)


def database(
    fails_at: str, error: type[psycopg2.Error] = psycopg2.DatabaseError, closed: int = 2
) -> Database:
    class Dying(Database):
        def _connect(self) -> Any:
            return DyingConnection(fails_at, error, closed)

    return Dying("postgresql://nowhere/", "test")


def do(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("SELECT 1")


@pytest.mark.parametrize(
    "error", [psycopg2.DatabaseError, psycopg2.OperationalError, psycopg2.InternalError]
)
def test_a_server_that_died_in_a_statement_is_unavailable_and_nothing_is_committed(
    error: type[psycopg2.Error],
) -> None:
    with pytest.raises(DatabaseUnavailable, match=SERVER_DIED) as raised:
        do(database("execute", error))
    assert not isinstance(raised.value, CommitUnknown)


def test_a_server_that_died_in_the_commit_leaves_the_outcome_unknown() -> None:
    with pytest.raises(CommitUnknown, match=SERVER_DIED):
        do(database("commit"))


def test_a_database_whose_server_died_is_not_ready_and_says_so_without_raising() -> None:
    assert not database("execute").is_ready()


def test_an_error_of_the_statement_itself_stays_what_it_is() -> None:
    with pytest.raises(psycopg2.IntegrityError):
        do(database("execute", psycopg2.IntegrityError, closed=0))
