"""The bus in one process: for tests and simulation. Seeded faults show what a broker may do.

Queues survive their consumers, as durable queues do. `lose_connections` acts like a broker restart:
unacknowledged deliveries come again, in order, and private queues are gone with what was in them.
"""

import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from service_runtime.bus import LONGEST_KEY_BYTES, LONGEST_REASON, BusError, Delivery
from venue_protocol.topology import DEAD_LETTERS


class _Confirmation:
    """A confirmation that is done at once."""

    def __init__(self, error: str | None = None) -> None:
        self._error = error

    def done(self) -> bool:
        """True; BusError if it could not be routed."""
        if self._error is not None:
            raise BusError(self._error)
        return True

    def wait(self, timeout_s: float | None = None) -> bool:
        """True, at once; BusError if it could not be routed."""
        return self.done()


class _Message:
    __slots__ = ("body", "delivered", "headers")

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.body = body
        self.headers = headers
        self.delivered = False


class MemoryBus:
    """A Bus without a broker.

    `duplicate_rate`: share of messages put twice, as after a lost confirm.
    """

    def __init__(self, seed: int = 0, duplicate_rate: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._duplicate_rate = duplicate_rate
        self._queues: dict[str, deque[_Message]] = {DEAD_LETTERS: deque()}
        self._bindings: dict[str, list[str]] = {DEAD_LETTERS: [DEAD_LETTERS]}
        self._consumers: list[MemoryConsumer] = []
        self._private_numbers = itertools.count(1)
        self.arrived = threading.Condition()
        """Guards all queues and their consumers; notified when a message arrives."""

    def declare(self, queues: Sequence[str]) -> None:
        """Make sure that these queues exist, each bound by its name."""
        with self.arrived:
            for queue in queues:
                if queue not in self._queues:
                    self._queues[queue] = deque()
                    self._bindings.setdefault(queue, []).append(queue)

    def publisher(self) -> "MemoryPublisher":
        """A new publisher."""
        return MemoryPublisher(self)

    def consumer(self, queue: str, prefetch: int = 100) -> "MemoryConsumer":
        """A new consumer of a durable queue."""
        self.declare([queue])
        return self._keep(MemoryConsumer(self, queue, None, prefetch))

    def subscription(self, routing_key: str, prefetch: int = 100) -> "MemoryConsumer":
        """A consumer of a private queue bound to `routing_key` and to its own name."""
        return self._keep(MemoryConsumer(self, None, routing_key, prefetch))

    def close(self) -> None:
        """Close the consumers."""
        self.lose_connections()
        self._consumers.clear()

    def put(self, routing_key: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """Deliver to every queue bound to the key; False if there is none."""
        with self.arrived:
            queues = self._bindings.get(routing_key)
            if not queues:
                return False
            copies = 2 if self._random.random() < self._duplicate_rate else 1
            for queue in queues:
                self._queues[queue].extend(_Message(body, headers) for _ in range(copies))
            self.arrived.notify_all()
            return True

    def pop(self, queue: str, most: int) -> list[_Message]:
        """Up to `most` messages that wait now, oldest first."""
        waiting = self._queues[queue]
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def give_back(self, queue: str, messages: list[_Message]) -> None:
        """Put unacknowledged messages back in front, in order."""
        self._queues[queue].extendleft(reversed(messages))
        self.arrived.notify_all()

    def declare_private(self, routing_key: str) -> str:
        """Name of a new queue bound to `routing_key` and to its own name."""
        with self.arrived:
            queue = f"private.{next(self._private_numbers)}"
            self.declare([queue])
            self._bindings.setdefault(routing_key, []).append(queue)
            return queue

    def delete_private(self, queue: str, routing_key: str) -> None:
        """Remove a private queue with what is in it."""
        del self._queues[queue], self._bindings[queue]
        self._bindings[routing_key].remove(queue)

    def purge(self, queue: str) -> int:
        """Drop what waits in a queue; the number dropped. A fault, not a service."""
        with self.arrived:
            return len(self.pop(queue, len(self._queues[queue])))

    def depth(self, queue: str) -> int:
        """Messages waiting in a queue, without those delivered and unacknowledged."""
        with self.arrived:
            return len(self._queues.get(queue, ()))

    def lose_connections(self) -> None:
        """Every consumer loses its connection: unacknowledged deliveries will come again."""
        with self.arrived:
            for consumer in self._consumers:
                consumer.close()

    def _keep(self, consumer: "MemoryConsumer") -> "MemoryConsumer":
        with self.arrived:
            self._consumers.append(consumer)
        return consumer


class MemoryPublisher:
    """A Publisher whose confirmations are done at once."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._closed = False

    def publish(
        self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> _Confirmation:
        """Deliver now; BusError if closed."""
        if self._closed:
            raise BusError("the publisher is closed")
        if len(routing_key.encode()) > LONGEST_KEY_BYTES:
            raise BusError(f"a routing key has {LONGEST_KEY_BYTES} bytes at most")
        routed = self._bus.put(routing_key, body, dict(headers or {}))
        return _Confirmation(None if routed else f"no queue is bound to {routing_key!r}")

    def publish_to_all(self, routing_keys: Sequence[str], body: bytes) -> list[_Confirmation]:
        """Deliver now under each key."""
        return [self.publish(routing_key, body) for routing_key in routing_keys]

    def is_ready(self) -> bool:
        """True until closed."""
        return not self._closed

    def flush(self, timeout_s: float) -> bool:
        """Nothing is ever unconfirmed."""
        return True

    def close(self) -> None:
        """Refuse further messages."""
        self._closed = True


class MemoryConsumer:
    """A Consumer of a durable queue, or of a private one bound to `routing_key`."""

    def __init__(
        self, bus: MemoryBus, queue: str | None, routing_key: str | None, prefetch: int
    ) -> None:
        self._bus = bus
        self._routing_key = routing_key
        self._prefetch = prefetch
        self._unacked: dict[int, _Message] = {}
        self._last_tag = 0
        self.queue_name = queue or bus.declare_private(str(routing_key))
        """The queue read; "" while a lost private one is not yet declared again."""

    def receive(self, timeout_s: float, max_messages: int) -> list[Delivery]:
        """What waits now, oldest first, within the prefetch; [] after `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        with self._bus.arrived:
            while True:
                if not self.queue_name:
                    self.queue_name = self._bus.declare_private(str(self._routing_key))
                messages = self._bus.pop(
                    self.queue_name, min(max_messages, self._prefetch - len(self._unacked))
                )
                left_s = deadline_s - time.monotonic()
                if messages or left_s <= 0:
                    return [self._deliver(message) for message in messages]
                self._bus.arrived.wait(left_s)

    def ack(self, through: Delivery) -> None:
        """Forget this delivery and all before it."""
        with self._bus.arrived:
            for tag in [tag for tag in self._unacked if tag <= through.tag]:
                del self._unacked[tag]

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Copy the delivery to the dead letters."""
        headers = {"reason": reason[:LONGEST_REASON], "queue": self._routing_key or self.queue_name}
        self._bus.put(DEAD_LETTERS, delivery.body, headers)

    def is_ready(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Lose the connection: what is unacknowledged goes back. The next receive reads on."""
        with self._bus.arrived:
            returned, self._unacked = list(self._unacked.values()), {}
            if self._routing_key is None:
                self._bus.give_back(self.queue_name, returned)
            elif self.queue_name:
                self._bus.delete_private(self.queue_name, self._routing_key)
                self.queue_name = ""

    def _deliver(self, message: _Message) -> Delivery:
        self._last_tag += 1
        self._unacked[self._last_tag] = message
        delivery = Delivery(message.body, self._last_tag, message.delivered, message.headers)
        message.delivered = True
        return delivery
