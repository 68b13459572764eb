"""Reads `order_execution` in batches and hands what continues each shard's stream to the settlement desk."""

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence

from clearinghouse.handlers import SettlementDesk
from clearinghouse.storage import LedgerStore
from service_runtime import metrics
from service_runtime.bus import Consumer, Delivery, Publisher
from service_runtime.database import DatabaseUnavailable
from service_runtime.stream_follower import StreamFollower
from venue_protocol import codec, streams, topology
from venue_protocol.events import EventBatch
from venue_protocol.streams import ResendRequest, StreamPosition

log = logging.getLogger(__name__)

_MOST_MESSAGES = 64
_ANNOUNCE_S = 1.0
_IDLE_S = 0.25
_SHARD_EVENTS = re.compile(r"events\.[0-9]{1,5}")


class Misdirected(ValueError):
    """A message that does not belong on `order_execution`, or contradicts itself."""


class EventReader:
    """The clearinghouse's consuming loop. An acknowledged message is settled, or will come again by resend."""

    def __init__(
        self,
        store: LedgerStore,
        consumer: Consumer,
        publisher: Publisher,
        desk: SettlementDesk,
        stopping: threading.Event,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._consumer = consumer
        self._publisher = publisher
        self._desk = desk
        self._stopping = stopping
        self._now_s = now_s
        self._followers: dict[int, StreamFollower] = {}
        self._announce_at_s = float("-inf")

    def run(self) -> None:
        """Read until the service stops. BrokenInvariant ends the process with nothing acknowledged."""
        while not self._stopping.is_set():
            try:
                self.step(_IDLE_S)
            except DatabaseUnavailable:
                return

    def step(self, timeout_s: float) -> int:
        """Settle what waits, or comes within `timeout_s`; the number of messages taken."""
        deliveries = self._consumer.receive(timeout_s, _MOST_MESSAGES)
        self.handle(deliveries)
        if deliveries:
            self._consumer.ack(deliveries[-1])
        else:
            for follower in self._followers.values():
                follower.remind()
        self._announce()
        return len(deliveries)

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Settle what these deliveries bring; all of it is committed on return."""
        taken: dict[int, list[EventBatch]] = {}
        for delivery in deliveries:
            metrics.messages_consumed.labels(topology.ORDER_EXECUTION).inc()
            try:
                self._take(codec.decode(delivery.body), taken)
            except (codec.CodecError, Misdirected) as error:
                metrics.dead_letters.labels(topology.ORDER_EXECUTION).inc()
                self._consumer.dead_letter(delivery, str(error))
        for batches in taken.values():
            self._desk.settle(batches)

    def _take(self, message: codec.Message, taken: dict[int, list[EventBatch]]) -> None:
        """Add to `taken` what continues a stream; Misdirected if the message has no business here."""
        if isinstance(message, EventBatch):
            if message.shard < 0 or message.first < 1 or not message.events:
                raise Misdirected(f"{len(message.events)} events of shard {message.shard} from {message.first} on")
            if self._follower(message.shard).takes(message.first, message.last):
                taken.setdefault(message.shard, []).append(message)
        elif isinstance(message, StreamPosition) and _SHARD_EVENTS.fullmatch(message.stream):
            self._follower(int(message.stream.removeprefix("events."))).announced(message.sequence)
        else:
            raise Misdirected(f"a {type(message).__name__} does not belong on {topology.ORDER_EXECUTION}")

    def is_caught_up(self) -> bool:
        """Whether no known event is missing."""
        return all(follower.is_caught_up() for follower in self._followers.values())

    def _follower(self, shard: int) -> StreamFollower:
        follower = self._followers.get(shard)
        if follower is None:
            stream = streams.events(shard)
            position = self._store.run(lambda transaction: transaction.position(stream), self._stopping)

            def ask(after: int) -> None:
                request = ResendRequest(codec.SCHEMA, stream, after, topology.ORDER_EXECUTION)
                self._publisher.publish(topology.resend_queue(shard), codec.encode(request))

            follower = self._followers[shard] = StreamFollower(stream, position, ask, self._now_s)
        return follower

    def _announce(self) -> None:
        if self._now_s() < self._announce_at_s:
            return
        self._announce_at_s = self._now_s() + _ANNOUNCE_S
        try:
            self._desk.announce()
        except DatabaseUnavailable as error:
            log.warning("can't announce the settlement position now", extra={"error": str(error)})
