"""An engine's loops on a bus and a log in memory, for tests."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from matching_engine.adapters.snapshots import SnapshotFolder
from matching_engine.handlers import MatchingDesk
from matching_engine.loops.command_reader import CommandReader
from matching_engine.loops.resender import Resender
from matching_engine.recent_events import RecentEvents
from service_runtime.buses.memory import MemoryBus
from tests.unit.matching_engine.desk import order
from tests.unit.matching_engine.fake_log import FakeLog
from venue_protocol import codec, streams
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.message_bounds import BOUNDS
from venue_protocol.streams import ResendRequest
from venue_protocol.topology import (
    DATA_FEED,
    DURABLE_QUEUES,
    ORDER_ENTRY,
    ORDER_EXECUTION,
    RESEND_REQUESTS,
)


class HeldConfirmation:
    """A confirmation that comes when the test says so."""

    def __init__(self) -> None:
        self.is_done = False

    def done(self) -> bool:
        """Whether the test said so."""
        return self.is_done

    def wait(self, timeout_s: float | None = None) -> bool:
        """The same; nothing waits here."""
        return self.is_done


class HoldingPublisher:
    """Publishes on the bus, and keeps the confirmations back while `holds`."""

    def __init__(self, bus: MemoryBus) -> None:
        self._publisher = bus.publisher()
        self.holds = False
        self.held: list[HeldConfirmation] = []

    def publish(
        self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> HeldConfirmation:
        """Deliver now, confirm later."""
        self._publisher.publish(routing_key, body, headers)
        confirmation = HeldConfirmation()
        confirmation.is_done = not self.holds
        self.held.append(confirmation)
        return confirmation

    def publish_to_all(self, routing_keys: Sequence[str], body: bytes) -> list[HeldConfirmation]:
        """Deliver under each key, confirm later."""
        return [self.publish(routing_key, body) for routing_key in routing_keys]

    def confirm(self, count: int) -> None:
        """Confirm the oldest unconfirmed messages."""
        for confirmation in [held for held in self.held if not held.is_done][:count]:
            confirmation.is_done = True

    def is_ready(self) -> bool:
        """Always."""
        return True

    def flush(self, timeout_s: float) -> bool:
        """Whether all is confirmed."""
        return all(confirmation.is_done for confirmation in self.held)

    def close(self) -> None:
        """Nothing to close."""


class Venue:
    """One engine service between a log and a bus; `start` again is a restart after a kill."""

    def __init__(self, folder: Path) -> None:
        self.bus = MemoryBus()
        self.bus.declare(DURABLE_QUEUES)
        self.log = FakeLog()
        self.snapshots = SnapshotFolder(str(folder), 0)
        self.bounds = BOUNDS
        self.published: list[CommandBatch] = []
        self._readers = {
            queue: self.bus.consumer(queue, prefetch=10**6)
            for queue in (ORDER_EXECUTION, DATA_FEED)
        }
        self.start()

    def start(self) -> None:
        """A fresh process on the same log, snapshots and queues."""
        self.bus.lose_connections()
        self.now_s = 0.0
        self.publisher = HoldingPublisher(self.bus)
        self.recent = RecentEvents()
        self.desk = MatchingDesk(
            0, self.publisher, self.recent, self.snapshots, self.log, self.bounds
        )
        self.consumer = self.bus.consumer(ORDER_ENTRY)
        self.stopping = threading.Event()
        self.reader = CommandReader(
            self.desk, self.consumer, ORDER_ENTRY, self.stopping, lambda: self.now_s
        )
        self.resender = self._new_resender(self.recent)
        self.reader.recover()

    def forget_recent_events(self) -> None:
        """The resender has nothing in memory."""
        self.resender = self._new_resender(RecentEvents())

    def _new_resender(self, recent: RecentEvents) -> Resender:
        requests = self.bus.consumer(RESEND_REQUESTS)
        return Resender(
            0,
            requests,
            self.publisher,
            recent,
            self.snapshots,
            self.log,
            self.stopping,
            self.bounds,
        )

    def commit(self, *orders: str) -> CommandBatch:
        """A commit of these orders that is not published."""
        return self.log.commit([order(text) for text in orders])

    def send(self, *messages: object) -> None:
        """Put messages (or raw bytes) on `order_entry`."""
        publisher = self.bus.publisher()
        for message in messages:
            publisher.publish(
                ORDER_ENTRY, message if isinstance(message, bytes) else codec.encode(message)
            )

    def step(self) -> None:
        """One turn of the consuming loop, a second later: what waits, or a look at the log."""
        self.now_s += 1
        self.reader.step()

    def events(self, queue: str = ORDER_EXECUTION) -> list[EventBatch]:
        """Event batches that arrived since the last call."""
        return [message for message in self.messages(queue) if isinstance(message, EventBatch)]

    def messages(self, queue: str = ORDER_EXECUTION) -> list[object]:
        """All messages that arrived since the last call."""
        deliveries = self._readers[queue].receive(0, 10**6)
        if deliveries:
            self._readers[queue].ack(deliveries[-1])
        return [codec.decode(delivery.body) for delivery in deliveries]

    def ask(
        self, after: int, reply_to: str = ORDER_EXECUTION, stream: str = streams.events(0)
    ) -> None:
        """A reader asks for a resend."""
        request = ResendRequest(codec.SCHEMA, stream, after, reply_to)
        self.bus.publisher().publish(RESEND_REQUESTS, codec.encode(request))

    def unacknowledged(self) -> int:
        """Deliveries that would come again if the process died now.

        Ends the process's connection.
        """
        self.bus.lose_connections()
        return self.bus.depth(ORDER_ENTRY)
