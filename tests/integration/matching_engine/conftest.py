"""A matching engine as a process of its own, between a real order log and a real broker."""

import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import requests

from migrations.provision import Provisioned
from service_runtime.bus import Consumer
from service_runtime.buses.rabbitmq import RabbitBus
from venue_protocol import codec, streams
from venue_protocol.commands import Command, CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.streams import ResendRequest, StreamPosition
from venue_protocol.topology import DATA_FEED, ORDER_EXECUTION, order_entry_queue, resend_queue

ROOT = Path(__file__).parents[3]
_DEADLINE_S = 30.0
_shards = itertools.count(1)


class EngineProcess:
    """One engine with a log, an input queue and a snapshot folder of its own: the rows of a log are
    never deleted.
    """

    def __init__(
        self, shard: int, provisioned: Provisioned, bus: RabbitBus, broker_url: str, folder: Path
    ) -> None:
        self.shard = shard
        self.folder = folder
        self._bus = bus
        self._log = psycopg2.connect(provisioned.owner_clearing_url)
        self._publisher = bus.publisher()
        self._readers: dict[str, Consumer] = {
            q: bus.consumer(q, 1000) for q in (ORDER_EXECUTION, DATA_FEED)
        }
        self._port = _free_port()
        self._environment = {
            key: value for key, value in os.environ.items() if not key.startswith("VENUE_")
        } | {
            "PYTHONPATH": str(ROOT),
            "VENUE_BROKER_URL": broker_url,
            "VENUE_CLEARING_DATABASE_URL": provisioned.clearing_url("matching_engine"),
            "VENUE_PORT": str(self._port),
            "VENUE_SHARD": str(shard),
            "VENUE_STATE_DIR": str(folder),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._position = 0

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        command = [sys.executable, "-m", "matching_engine"]
        self._process = subprocess.Popen(
            command, env=self._environment, cwd=ROOT, start_new_session=True
        )
        self.wait_for(self._is_ready)

    def kill(self) -> None:
        """End the process, and its worker, with SIGKILL."""
        self._end(lambda: os.killpg(self._running().pid, 9))

    def stop(self) -> None:
        """End the process as the launcher does."""
        self._end(self._running().terminate)

    def close(self) -> None:
        """End everything."""
        if self._process is not None:
            self.kill()
        self._log.close()

    def commit(self, *commands: Command) -> CommandBatch:
        """Write a batch to the log, as the gateway does, without publishing it."""
        first = self._position + 1
        batch = CommandBatch(codec.SCHEMA, self.shard, first, 1_000_000 + first, list(commands))
        rows = [
            (self.shard, sequence, batch.time_us, command.client_id, codec.encode(command).decode())
            for sequence, command in batch.numbered()
        ]
        with self._log, self._log.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO order_log (shard, sequence, time_us, client_id, command) VALUES (%s, "
                "%s, %s, %s, %s)",
                rows,
            )
            cursor.execute(
                "INSERT INTO order_log_heads VALUES (%s, %s, %s) ON CONFLICT (shard) DO UPDATE"
                " SET last_sequence = excluded.last_sequence, last_time_us = excluded.last_time_us",
                (self.shard, batch.last, batch.time_us),
            )
        self._position = batch.last
        return batch

    def publish(self, *bodies: CommandBatch | bytes) -> None:
        """Put messages on `order_entry`; durable on return."""
        for body in bodies:
            self._publisher.publish(
                order_entry_queue(self.shard),
                body if isinstance(body, bytes) else codec.encode(body),
            )
        assert self._publisher.flush(10)

    def ask(self, after: int, reply_to: str) -> None:
        """A reader misses what comes after `after`."""
        request = ResendRequest(codec.SCHEMA, streams.events(self.shard), after, reply_to)
        self._publisher.publish(resend_queue(self.shard), codec.encode(request))

    def events(self, last_command: int, queue: str = ORDER_EXECUTION) -> list[EventBatch]:
        """Event batches as they come, up to the one that answers this command."""
        found: list[EventBatch] = []

        def arrived() -> bool:
            for message in self._receive(queue):
                if isinstance(message, EventBatch):
                    found.append(message)
            return bool(found) and found[-1].log_last >= last_command

        self.wait_for(arrived)
        return found

    def announced(self, queue: str = DATA_FEED) -> int:
        """The newest event position announced from now on."""
        self._receive(queue)
        positions: list[int] = []

        def arrived() -> bool:
            positions.extend(
                m.sequence for m in self._receive(queue) if isinstance(m, StreamPosition)
            )
            return bool(positions)

        self.wait_for(arrived)
        return positions[-1]

    def get(self, path: str) -> dict[str, object]:
        """JSON of an HTTP answer."""
        answer = requests.get(f"http://127.0.0.1:{self._port}{path}", timeout=5)
        answer.raise_for_status()
        content: dict[str, object] = answer.json()
        return content

    def metric(self, name: str) -> float:
        """Sum of a Prometheus metric over its labels."""
        text = requests.get(f"http://127.0.0.1:{self._port}/metrics", timeout=5).text
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name)
        )

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return once `condition` holds; fail when the deadline is over or the process has died."""
        deadline = time.monotonic() + _DEADLINE_S
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "condition not met in time"
            assert self._process is None or self._process.poll() is None, "the engine has died"
            pause.wait(0.02)

    def _receive(self, queue: str) -> Sequence[object]:
        deliveries = self._readers[queue].receive(0.05, 1000)
        if deliveries:
            self._readers[queue].ack(deliveries[-1])
        return [codec.decode(delivery.body) for delivery in deliveries]

    def _is_ready(self) -> bool:
        try:
            return (
                requests.get(f"http://127.0.0.1:{self._port}/readyz", timeout=1).status_code == 200
            )
        except requests.RequestException:
            return False

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def _end(self, how: Callable[[], object]) -> None:
        process = self._running()
        how()
        process.wait(30)
        self._process = None


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def engine(
    provisioned: Provisioned, rabbit_bus: RabbitBus, broker_url: str, tmp_path: Path
) -> Iterator[EngineProcess]:
    """A running, ready engine on an empty log and empty queues."""
    process = EngineProcess(next(_shards), provisioned, rabbit_bus, broker_url, tmp_path)
    try:
        process.start()
        yield process
    finally:
        process.close()
