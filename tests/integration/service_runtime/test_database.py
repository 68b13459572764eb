"""Database: what is committed, what is tried again, and what is honestly unknown."""

import io
import secrets
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from psycopg2 import errors

from service_runtime.database import CommitUnknown, Cursor, Database, DatabaseUnavailable
from tests.contract.tcp_proxy import TcpProxy
from tests.integration.service_runtime.sample_process import eventually


class Scratch:
    """A database of its own, seen from outside the pool under test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg2.connect(url, application_name="scratch")
        self._connection.autocommit = True
        self.execute("CREATE TABLE numbers (number bigint PRIMARY KEY)")
        self.execute("CREATE TABLE doctors (name text PRIMARY KEY, on_call boolean NOT NULL)")

    def execute(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of one statement, committed at once."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def numbers(self) -> list[object]:
        """What the table holds."""
        return [row[0] for row in self.execute("SELECT number FROM numbers ORDER BY number")]

    def terminate(self, name: str = "under_test") -> int:
        """End every backend of the pool under test; how many there were."""
        statement = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name "
            "= %s"
        )
        return len(self.execute(statement, name))

    def at_commit(self, action: str) -> None:
        """Let every COMMIT that wrote a number do `action` (PL/pgSQL) first."""
        self.execute(
            f"CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {action} "
            "END$$"
        )
        self.execute(
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON numbers DEFERRABLE INITIALLY "
            "DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION at_commit()"
        )

    def normal_commits(self) -> None:
        """Undo `at_commit`."""
        self.execute("DROP FUNCTION at_commit CASCADE")

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


@pytest.fixture(scope="module")
def scratch_url(postgres_url: str) -> Iterator[str]:
    """A new database on the server, dropped at the end."""
    name = f"venue_test_{secrets.token_hex(4)}"
    connection = psycopg2.connect(postgres_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


@pytest.fixture
def scratch(scratch_url: str) -> Iterator[Scratch]:
    """The database with empty tables."""
    made = Scratch(scratch_url)
    yield made
    made.execute("DROP TABLE numbers, doctors")
    made.close()


@pytest.fixture
def database(scratch: Scratch) -> Iterator[Database]:
    """The pool under test."""
    made = Database(scratch.url, "under_test", pool_size=4)
    yield made
    made.close()


def put(number: int) -> Callable[[Cursor], None]:
    """Work that inserts a number, and does nothing the second time."""
    return lambda cursor: cursor.execute(
        "INSERT INTO numbers VALUES (%s) ON CONFLICT DO NOTHING", (number,)
    )


def backend_pid(database: Database) -> int:
    """The backend that serves the next transaction."""
    with database.transaction() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_block_that_ends_is_committed(database: Database, scratch: Scratch) -> None:
    with database.transaction() as cursor:
        put(1)(cursor)
        assert scratch.numbers() == []
    assert scratch.numbers() == [1]


@pytest.mark.parametrize(
    "error", [ValueError("no"), KeyboardInterrupt(), DatabaseUnavailable("elsewhere")]
)
def test_a_block_that_raises_is_rolled_back_and_the_error_goes_on(
    database: Database, scratch: Scratch, error: BaseException
) -> None:
    before = backend_pid(database)
    with pytest.raises(type(error)), database.transaction() as cursor:
        put(1)(cursor)
        raise error
    assert scratch.numbers() == []
    assert backend_pid(database) == before, "the connection is used again"


def test_errors_in_statements_do_not_use_up_the_pool(database: Database) -> None:
    for _ in range(10):
        with pytest.raises(errors.SyntaxError), database.transaction() as cursor:
            cursor.execute("SELEKT")
    assert database.is_ready()


def test_a_broken_constraint_is_the_callers_to_see(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(errors.UniqueViolation), database.transaction() as cursor:
            cursor.execute("INSERT INTO numbers VALUES (1), (1)")


def test_a_connection_lost_in_the_block_means_nothing_was_committed(
    database: Database, scratch: Scratch
) -> None:
    with pytest.raises(DatabaseUnavailable) as raised, database.transaction() as cursor:
        put(1)(cursor)
        scratch.terminate()
        put(2)(cursor)
    assert not isinstance(raised.value, CommitUnknown)
    assert scratch.numbers() == [] and database.is_ready()


def test_a_connection_lost_while_copying_means_nothing_was_committed(
    database: Database, scratch: Scratch
) -> None:
    class Slow(io.RawIOBase):
        """Rows, and in the middle of them the end of the connection."""

        rows = iter(range(1, 5_000))

        def read(self, size: int = -1) -> bytes:
            """A row."""
            number = next(self.rows, None)
            if number == 2_000:
                scratch.terminate()
            return b"" if number is None else b"%d\n" % number

    with pytest.raises(DatabaseUnavailable), database.transaction() as cursor:
        cursor.copy_expert("COPY numbers FROM STDIN", Slow(), size=8)
    assert scratch.numbers() == [] and database.is_ready()


def test_after_a_restart_of_the_server_one_failure_is_enough_to_renew_the_pool(
    database: Database, scratch: Scratch
) -> None:
    barrier = threading.Barrier(4)

    def hold() -> None:
        with database.transaction() as cursor:
            cursor.execute("SELECT 1")
            barrier.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scratch.terminate() == 4
    with pytest.raises(DatabaseUnavailable):
        backend_pid(database)
    for _ in range(8):
        backend_pid(database)


def test_a_commit_that_was_cut_short_is_unknown(database: Database, scratch: Scratch) -> None:
    scratch.at_commit(
        "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL;"
    )
    with pytest.raises(CommitUnknown), database.transaction() as cursor:
        put(1)(cursor)
    assert scratch.numbers() == []
    scratch.normal_commits()
    assert database.is_ready()


def test_a_commit_whose_answer_was_lost_is_unknown_although_it_happened(scratch: Scratch) -> None:
    parts = urlsplit(scratch.url)
    proxy = TcpProxy((parts.hostname or "127.0.0.1", parts.port or 5432))
    through_proxy = parts._replace(
        netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}"
    )
    database = Database(urlunsplit(through_proxy), "through_proxy", pool_size=1)
    scratch.at_commit("PERFORM pg_sleep(0.5); RETURN NULL;")
    cut = threading.Timer(0.2, proxy.cut)
    with pytest.raises(CommitUnknown), database.transaction() as cursor:
        put(1)(cursor)
        cut.start()
    cut.join()
    assert eventually(lambda: scratch.numbers() == [1])
    scratch.normal_commits()
    database.close()
    proxy.close()


def test_a_constraint_that_fails_at_commit_is_not_unknown(
    database: Database, scratch: Scratch
) -> None:
    scratch.at_commit("RAISE check_violation;")
    with pytest.raises(errors.CheckViolation), database.transaction() as cursor:
        put(1)(cursor)
    assert scratch.numbers() == [] and database.is_ready()
    scratch.normal_commits()


def test_a_serialization_failure_at_commit_is_not_unknown(
    database: Database, scratch: Scratch
) -> None:
    """The write skew of the Postgres manual: each sees the other on call, and leaves."""
    scratch.execute("INSERT INTO doctors VALUES ('alice', true), ('bob', true)")

    def leave(cursor: Cursor, name: str) -> None:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        cursor.execute("SELECT count(*) FROM doctors WHERE on_call")
        cursor.execute("UPDATE doctors SET on_call = false WHERE name = %s", (name,))

    with pytest.raises(DatabaseUnavailable) as raised, database.transaction() as first:
        leave(first, "alice")
        with database.transaction() as second:
            leave(second, "bob")
    assert not isinstance(raised.value, CommitUnknown)


def test_a_deadlock_is_tried_again_on_the_same_connections(
    database: Database, scratch: Scratch
) -> None:
    scratch.execute("INSERT INTO doctors VALUES ('alice', true), ('bob', true)")
    both_have_one = threading.Barrier(2)
    met: set[int] = set()
    pids: dict[int, set[int]] = {0: set(), 1: set()}

    def run(number: int, order: list[str]) -> None:
        def work(cursor: Cursor) -> None:
            cursor.execute("SET LOCAL deadlock_timeout = '50ms'")
            cursor.execute("SELECT pg_backend_pid()")
            pids[number].add(cursor.fetchone()[0])
            cursor.execute("UPDATE doctors SET on_call = false WHERE name = %s", (order[0],))
            if number not in met:
                met.add(number)
                both_have_one.wait(10)
            cursor.execute("UPDATE doctors SET on_call = false WHERE name = %s", (order[1],))

        database.run(work)

    threads = [
        threading.Thread(target=run, args=(0, ["alice", "bob"])),
        threading.Thread(target=run, args=(1, ["bob", "alice"])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert scratch.execute("SELECT count(*) FROM doctors WHERE on_call") == [(0,)]
    assert len(pids[0] | pids[1]) == 2, "a conflict is no reason to drop connections"


def test_a_statement_that_takes_too_long_is_ended_and_nothing_committed(scratch: Scratch) -> None:
    database = Database(scratch.url, "impatient", pool_size=1, statement_timeout_ms=100)
    with pytest.raises(DatabaseUnavailable), database.transaction() as cursor:
        put(1)(cursor)
        cursor.execute("SELECT pg_sleep(10)")
    assert scratch.numbers() == [] and database.is_ready()
    database.close()


def test_work_is_repeated_until_it_commits_and_its_effect_is_there_once(
    database: Database, scratch: Scratch
) -> None:
    attempts = []

    def work(cursor: Cursor) -> str:
        attempts.append(1)
        put(7)(cursor)
        if len(attempts) < 3:
            scratch.terminate()
            put(8)(cursor)
        return "done"

    assert database.run(work) == "done"
    assert (len(attempts), scratch.numbers()) == (3, [7])


def test_work_after_an_unknown_commit_is_repeated(database: Database, scratch: Scratch) -> None:
    scratch.at_commit(
        "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL;"
    )
    attempts = []

    def work(cursor: Cursor) -> None:
        attempts.append(1)
        if len(attempts) == 2:
            scratch.normal_commits()
        put(1)(cursor)

    database.run(work)
    assert (len(attempts), scratch.numbers()) == (2, [1])


def test_an_error_of_the_work_itself_is_not_repeated(database: Database) -> None:
    attempts = []

    def work(_cursor: Cursor) -> None:
        attempts.append(1)
        raise KeyError("ours")

    with pytest.raises(KeyError):
        database.run(work)
    assert len(attempts) == 1


def test_who_stops_need_not_wait_for_the_database(scratch: Scratch) -> None:
    nowhere = urlunsplit(urlsplit(scratch.url)._replace(path="/there_is_no_such_database"))
    database = Database(nowhere, "lost")
    assert not database.is_ready()
    stopping = threading.Event()
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(DatabaseUnavailable):
            database.run(put(1), stopping)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert not ended.wait(0.3)
    stopping.set()
    assert ended.wait(5)


def test_an_unreachable_server_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing", "lost")
    with pytest.raises(DatabaseUnavailable), database.transaction():
        pytest.fail("no connection, no block")
    assert not database.is_ready()


def test_many_threads_lose_nothing_while_backends_are_terminated(
    database: Database, scratch: Scratch
) -> None:
    def write(thread: int) -> None:
        for number in range(60):
            database.run(put(thread * 1_000 + number))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        scratch.terminate()
        threads[0].join(0.05)
    assert scratch.numbers() == [
        thread * 1_000 + number for thread in range(6) for number in range(60)
    ]
    sessions = "SELECT count(*) <= 4 FROM pg_stat_activity WHERE application_name = 'under_test'"
    assert eventually(lambda: scratch.execute(sessions) == [(True,)]), (
        "the pool stays within its size"
    )
