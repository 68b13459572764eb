"""Our own servers are started again when they end, with pauses, and the state says how they are."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import wait_until
from venue_launcher.server_watch import ServerWatch
from venue_launcher.state_file import ServerStatus


class Server:
    """A private server without a process."""

    name = "Postgres"

    def __init__(self, failures: int = 0) -> None:
        self.pid: int | None = 1
        self.failures = failures
        self.tries = 0

    def start(self) -> None:
        """It runs from the beginning."""

    def end(self) -> None:
        """As if it was killed."""
        self.pid = None

    def has_ended(self) -> bool:
        return self.pid is None

    def restart(self) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise Unavailable("no space left on device")
        self.pid = 1 + self.tries

    def stop(self) -> None:
        """Nothing to stop."""

    def kill(self) -> None:
        """Nothing to kill."""

    def erase(self) -> None:
        """Nothing to erase."""


@contextmanager
def watched(server: Server) -> Iterator[tuple[list[dict[str, ServerStatus]], list[str]]]:
    """What the watch tells, as it tells it."""
    statuses: list[dict[str, ServerStatus]] = []
    lines: list[str] = []
    watch = ServerWatch([server], statuses.append, lines.append, longest_pause_s=0.01)
    watch.start()
    try:
        yield statuses, lines
    finally:
        watch.stop()


def test_a_server_that_ended_is_started_again_and_counted() -> None:
    server = Server()
    with watched(server) as (statuses, lines):
        server.end()
        assert wait_until(lambda: len(statuses) == 2, 10)
    assert statuses[0]["Postgres"].trouble == "it ended unasked"
    assert statuses[0]["Postgres"].since_s is not None
    assert statuses[1] == {"Postgres": ServerStatus(2, restarts=1)}
    assert lines[0] == "Postgres ended; starting it again …"
    assert lines[1].startswith("Postgres runs again after ")


def test_a_server_that_does_not_start_is_tried_until_it_does_and_the_cause_is_told() -> None:
    server = Server(failures=2)
    with watched(server) as (statuses, lines):
        server.end()
        assert wait_until(lambda: bool(statuses) and statuses[-1]["Postgres"].trouble is None, 20)
    assert server.tries == 3
    troubles = [status["Postgres"].trouble for status in statuses]
    assert troubles == ["it ended unasked", *["no space left on device"] * 2, None]
    assert lines[1] == "Postgres does not start: no space left on device; trying again"


def test_a_watch_outlives_a_fault_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """Row A2: the servers that the thread started would end with it, and nobody would notice."""
    server = Server()
    told: list[dict[str, ServerStatus]] = []

    def tell(statuses: dict[str, ServerStatus]) -> None:
        told.append(statuses)
        if len(told) == 1:
            raise OSError("no space left for the state file")

    watch = ServerWatch([server], tell, lambda line: None, longest_pause_s=0.01)
    watch.start()
    try:
        server.end()
        assert wait_until(lambda: not server.has_ended(), 10)
        assert wait_until(lambda: told[-1] == {"Postgres": ServerStatus(2, restarts=1)}, 10)
    finally:
        watch.stop()
    assert "the watch of Postgres failed; it goes on" in caplog.text


def test_a_watch_that_is_stopped_starts_nothing() -> None:
    server = Server(failures=10**9)
    with watched(server) as (statuses, _):
        server.end()
        assert wait_until(lambda: server.tries > 0, 10)
    tries = server.tries
    assert server.has_ended() and len(statuses) == tries + 1
