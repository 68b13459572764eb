"""A feed as a process of its own, on databases and a virtual host made for the test."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
import psycopg2
import pytest
import requests

from migrations.provision import Provisioned, drop
from service_runtime.api_keys import key_hash, new_key
from service_runtime.bus import Publisher
from service_runtime.buses.rabbitmq import RabbitBus
from tests.provisioning import provision_seeded
from venue_protocol import codec
from venue_protocol.topology import DATA_FEED, DURABLE_QUEUES

ROOT = Path(__file__).parents[3]
CLIENTS = {"alice": "trader", "bob": "trader", "carol": "trader", "root": "administrator"}


def wait_until(claim: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """The first true value of `claim`; fails when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = claim()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not true within {timeout_s} s: {claim.__name__}")


@dataclass
class Clearing:
    """The clearinghouse's side, played by the test: rows of clearing_data and keys."""

    provisioned: Provisioned
    keys: dict[str, str] = field(default_factory=dict)

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement as the owner of clearing_data."""
        return _execute(self.provisioned.owner_clearing_url, statement, values)

    def recorded(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement as the owner of market_data."""
        return _execute(self.provisioned.owner_market_url, statement, values)

    def seed(self) -> None:
        """Clients with $10,000.00 and a key each, and ten AAPL for alice of which three are
        held.
        """
        for client_id, role in CLIENTS.items():
            self.keys[client_id] = new_key()
            self.execute("INSERT INTO clients VALUES (%s, %s, 0)", (client_id, role))
            self.execute(
                "INSERT INTO api_keys VALUES (%s, %s, 0)",
                (key_hash(self.keys[client_id]), client_id),
            )
            if role == "trader":
                self.execute(
                    "INSERT INTO accounts (client_id, balance_e4, held_e4) VALUES (%s, 100000000, "
                    "0)",
                    (client_id,),
                )
        self.execute("INSERT INTO securities_deposits VALUES ('alice', 'AAPL', 10, 3)")
        self.execute("UPDATE accounts SET held_e4 = 12345 WHERE client_id = 'alice'")


def _execute(url: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class RunningFeed:
    """The service process, its address, and the publisher that plays engine and clearinghouse."""

    def __init__(self, clearing: Clearing, broker_url: str, publisher: Publisher) -> None:
        self.clearing = clearing
        self._broker_url = broker_url
        self._publisher = publisher
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        """Where its WebSockets are."""
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    def start(self, is_awaited: bool = True) -> None:
        """Start the process and wait until it is ready, or where not awaited until it answers at
        all.
        """
        self.port = self.port or free_port()
        environment = os.environ | {
            "VENUE_BROKER_URL": self._broker_url,
            "VENUE_CLEARING_DATABASE_URL": self.clearing.provisioned.clearing_url(
                "market_data_feed"
            ),
            "VENUE_MARKET_DATABASE_URL": self.clearing.provisioned.market_url("market_data_feed"),
            "VENUE_PORT": str(self.port),
        }
        command = [sys.executable, "-m", "market_data_feed"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        wait_until(self.is_ready if is_awaited else self.is_alive)

    def is_ready(self) -> bool:
        """Whether /readyz says 200. A process that ended fails the test."""
        assert self._process is not None and self._process.poll() is None, "the feed has ended"
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.ConnectionError:
            return False

    def is_alive(self) -> bool:
        """Whether /healthz answers."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """kill -9 of the service with its worker."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=20)

    def send(self, *messages: Any) -> None:
        """Publish to data_feed, confirmed."""
        for message in messages:
            body = message if isinstance(message, bytes) else codec.encode(message)
            assert self._publisher.publish(DATA_FEED, body).wait(10)

    def record(self, *messages: Any) -> None:
        """Publish event batches, and wait until the last of them is recorded."""
        self.send(*messages)
        self.wait_for_position("events.0", messages[-1].last)

    def wait_for_position(self, stream: str, position: int) -> None:
        """Wait until `position` of `stream` is shown."""
        wait_until(lambda: self.get("/v1/status")["positions"].get(stream, 0) >= position)

    def wait_for_status(self, path: str, client_id: str, status: int) -> None:
        """Wait until `path` answers this client with this HTTP status."""
        wait_until(lambda: self.request(path, client_id).status_code == status)

    def get(self, path: str, client_id: str | None = None, status: int = 200) -> Any:
        """The JSON that `path` answers to this client; fails on another HTTP status."""
        response = self.request(path, client_id)
        assert response.status_code == status, response.text
        return response.json()

    def request(self, path: str, client_id: str | None = None) -> requests.Response:
        """The answer of `path` to this client."""
        headers = {"Authorization": f"Bearer {self.clearing.keys[client_id]}"} if client_id else {}
        return requests.get(f"{self.url}{path}", headers=headers, timeout=10)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def fresh_clearing(postgres_url: str) -> Iterator[Clearing]:
    """Databases of their own, seeded."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    clearing = Clearing(provision_seeded(postgres_url, instance))
    try:
        clearing.seed()
        yield clearing
    finally:
        drop(postgres_url, instance)


@pytest.fixture
def clearing(postgres_url: str) -> Iterator[Clearing]:
    """Databases of their own for one test, seeded."""
    with fresh_clearing(postgres_url) as seeded:
        yield seeded


@pytest.fixture
def feed(clearing: Clearing, rabbit_bus: RabbitBus, broker_url: str) -> Iterator[RunningFeed]:
    """A running feed on fresh databases and empty queues."""
    running = RunningFeed(clearing, broker_url, rabbit_bus.publisher())
    try:
        running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="module")
def shared_feed(postgres_url: str, broker_url: str) -> Iterator[RunningFeed]:
    """One feed, with empty queues, for all tests of a module."""
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    for queue in DURABLE_QUEUES:
        connection.channel().queue_delete(queue)
    connection.close()
    bus = RabbitBus(broker_url, "tests")
    bus.declare(DURABLE_QUEUES)
    with fresh_clearing(postgres_url) as seeded:
        running = RunningFeed(seeded, broker_url, bus.publisher())
        try:
            running.start()
            yield running
        finally:
            running.kill()
    bus.close()
