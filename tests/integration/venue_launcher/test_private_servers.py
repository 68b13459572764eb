"""Real private servers: started from what is installed, killed, restarted, adopted, removed."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pika
import psycopg2
import pytest

from venue_launcher import processes
from venue_launcher.infrastructure import broker_probe, finder
from venue_launcher.infrastructure.postgres_server import PrivatePostgres
from venue_launcher.infrastructure.private import PrivatePair, throw_away
from venue_launcher.infrastructure.rabbitmq_server import PrivateRabbitMQ
from venue_launcher.processes import identify, wait_until
from venue_launcher.state_folder import CHECKOUT
from venue_launcher.terminal import silent

LAUNCHER = """
import sys, time
from pathlib import Path
from venue_launcher.infrastructure import finder
found = finder.start("private", Path(sys.argv[1]), lambda line: None)
print(*[server.pid for server in found.servers], flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def pair() -> Iterator[PrivatePair]:
    with throw_away(silent) as started:
        yield started


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """The rows of one statement, committed."""
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_postgres_takes_no_connection_but_through_its_own_socket(pair: PrivatePair) -> None:
    assert query(pair.postgres.url, "SHOW listen_addresses") == [("",)]
    assert query(pair.postgres.url, "SHOW fsync") == [("on",)]


def test_committed_rows_survive_a_killed_postgres(pair: PrivatePair) -> None:
    query(pair.postgres.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = pair.postgres.pid
    pair.postgres.kill()
    assert pair.postgres.pid is None
    pair.postgres.start()
    assert pair.postgres.pid != before
    assert query(pair.postgres.url, "SELECT answer FROM kept") == [(42,)]


@pytest.mark.parametrize("name", ["postgres", "broker"])
def test_a_restart_that_failed_is_tried_again(
    pair: PrivatePair, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A full disk fails the first try. The server must not be taken for a running one then."""
    server: PrivatePostgres | PrivateRabbitMQ = getattr(pair, name)
    before, url = server.pid, server.url
    assert before
    os.kill(before, signal.SIGKILL)
    assert wait_until(server.has_ended, 10)
    with monkeypatch.context() as patched:
        patched.setattr(processes, "start", _no_space)
        with pytest.raises(OSError, match="No space left"):
            server.restart()
    assert server.has_ended() and server.pid is None
    server.restart()
    assert not server.has_ended() and server.pid not in (None, before)
    assert server.url == url
    server.stop()
    assert not server.has_ended()
    server.start()


def _no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_messages_of_a_recorded_queue_survive_a_killed_broker_at_the_same_address(
    pair: PrivatePair,
) -> None:
    url = pair.broker.url
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True)
        channel.basic_publish(
            "", "kept", b"42", pika.BasicProperties(delivery_mode=2), mandatory=True
        )
    # RabbitMQ 3.10 confirms before the queue's own record is on disk: killed at once, it lost the
    # queue 2 times of 7.
    pair.broker.control("eval", "mnesia:sync_log().")
    pair.broker.kill()
    assert broker_probe.refusal(url)
    pair.broker.start()
    assert pair.broker.url == url
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        assert connection.channel().basic_get("kept", auto_ack=True)[2] == b"42"


def test_the_broker_lets_nobody_in_without_its_password(pair: PrivatePair) -> None:
    assert broker_probe.refusal(f"amqp://guest:guest@127.0.0.1:{pair.broker.port}/venue")


def test_a_virtual_host_is_made_and_removed(pair: PrivatePair) -> None:
    url = pair.vhosts.create("venue_test_own")
    assert broker_probe.refusal(url) is None
    pair.vhosts.delete("venue_test_own")
    assert broker_probe.refusal(url)
    pair.vhosts.delete("venue_test_own")


def test_servers_of_a_killed_launcher_end_and_the_next_start_has_their_data(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    command = [sys.executable, "-P", "-c", LAUNCHER, str(tmp_path)]
    variables = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=variables) as launcher:
        assert launcher.stdout
        servers = [identify(int(pid)) for pid in launcher.stdout.readline().split()]
        launcher.kill()
    assert len(servers) == 2
    assert wait_until(lambda: not any(server and server.is_alive() for server in servers), 30)
    found = finder.start("private", tmp_path, silent)
    try:
        assert query(found.postgres_url, "SELECT 1") == [(1,)]
        assert broker_probe.refusal(found.broker_url) is None
    finally:
        found.stop()
        for server in found.servers:
            server.erase()


def test_a_server_left_running_is_ended_by_its_record(tmp_path: Path, pair: PrivatePair) -> None:
    pid = pair.postgres.pid
    assert pid
    processes.ProcessRecord(tmp_path / "postgres.json", signal.SIGINT).write(pid)
    assert processes.end_leftovers(tmp_path) == ["postgres"]
    assert wait_until(lambda: pair.postgres.pid is None, 30)
    pair.postgres.start()


def test_nothing_is_left_of_a_thrown_away_pair() -> None:
    with throw_away(silent) as started:
        folders = [started.postgres.folder, started.broker.folder]
        pids = [started.postgres.pid, started.broker.pid]
    assert not any(folder.exists() for folder in folders)
    assert not any(identify(pid) for pid in pids if pid)
