"""The bus in one process: for tests and simulation. Seeded faults show what a broker may do.

Queues survive their consumers, as durable queues do. `lose_connections` acts like a broker restart:
unacknowledged deliveries come again, in order.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from service_runtime.bus import BusError, Delivery
from venue_protocol.topology import DEAD_LETTERS


class _Confirmed:
    """A confirmation that is done at once."""

    def done(self) -> bool:
        """Always true."""
        return True

    def wait(self, timeout_s: float | None = None) -> bool:
        """Always true, at once."""
        return True


class _Message:
    __slots__ = ("body", "delivered", "headers")

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.body = body
        self.headers = headers
        self.delivered = False


class MemoryBus:
    """A Bus without a broker. `duplicate_rate`: share of messages put twice, as after a lost confirm."""

    def __init__(self, seed: int = 0, duplicate_rate: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._duplicate_rate = duplicate_rate
        self._arrived = threading.Condition()
        self._queues: dict[str, deque[_Message]] = {DEAD_LETTERS: deque()}
        self._bindings: dict[str, list[str]] = {DEAD_LETTERS: [DEAD_LETTERS]}
        self._consumers: list[MemoryConsumer] = []

    def declare(self, queues: Sequence[str]) -> None:
        """Make sure that these queues exist, each bound by its name."""
        with self._arrived:
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
        return self._consume(queue, prefetch)

    def subscription(self, routing_key: str, prefetch: int = 100) -> "MemoryConsumer":
        """A consumer of a private queue bound to `routing_key`."""
        queue = f"subscription.{len(self._queues)}"
        with self._arrived:
            self._queues[queue] = deque()
            self._bindings.setdefault(routing_key, []).append(queue)
            self._bindings[queue] = [queue]
        return self._consume(queue, prefetch)

    def close(self) -> None:
        """Forget the consumers."""
        self._consumers.clear()

    def put(self, routing_key: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Deliver to every queue bound to the key; BusError if there is none."""
        with self._arrived:
            queues = self._bindings.get(routing_key)
            if not queues:
                raise BusError(f"no queue is bound to {routing_key!r}")
            copies = 2 if self._random.random() < self._duplicate_rate else 1
            for queue in queues:
                self._queues[queue].extend(_Message(body, headers) for _ in range(copies))
            self._arrived.notify_all()

    def take(self, queue: str, most: int, timeout_s: float) -> list[_Message]:
        """Up to `most` messages, waiting `timeout_s` for the first."""
        deadline = time.monotonic() + timeout_s
        with self._arrived:
            while not self._queues[queue]:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._arrived.wait(left_s):
                    break
            waiting = self._queues[queue]
            return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def give_back(self, queue: str, messages: list[_Message]) -> None:
        """Put unacknowledged messages back in front, in order."""
        with self._arrived:
            self._queues[queue].extendleft(reversed(messages))
            self._arrived.notify_all()

    def purge(self, queue: str) -> int:
        """Drop what waits in a queue; the number dropped. A fault, not a service."""
        with self._arrived:
            dropped = len(self._queues[queue])
            self._queues[queue].clear()
            return dropped

    def depth(self, queue: str) -> int:
        """Messages waiting in a queue, without those delivered and unacknowledged."""
        with self._arrived:
            return len(self._queues.get(queue, ()))

    def lose_connections(self) -> None:
        """Every consumer loses its connection: unacknowledged deliveries will come again."""
        for consumer in self._consumers:
            consumer.close()

    def _consume(self, queue: str, prefetch: int) -> "MemoryConsumer":
        consumer = MemoryConsumer(self, queue, prefetch)
        self._consumers.append(consumer)
        return consumer


class MemoryPublisher:
    """A Publisher whose confirmations are done at once."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._closed = False

    def publish(self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None) -> _Confirmed:
        """Deliver now; BusError if unroutable or closed."""
        if self._closed:
            raise BusError("the publisher is closed")
        self._bus.put(routing_key, body, dict(headers or {}))
        return _Confirmed()

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
    """A Consumer of one queue."""

    def __init__(self, bus: MemoryBus, queue: str, prefetch: int) -> None:
        self._bus = bus
        self._prefetch = prefetch
        self._unacked: dict[int, _Message] = {}
        self._last_tag = 0
        self.queue_name = queue
        """The queue read."""

    def receive(self, timeout_s: float, max_messages: int) -> list[Delivery]:
        """What waits now, oldest first, within the prefetch; [] after `timeout_s`."""
        most = min(max_messages, self._prefetch - len(self._unacked))
        deliveries = []
        for message in self._bus.take(self.queue_name, most, timeout_s):
            self._last_tag += 1
            self._unacked[self._last_tag] = message
            deliveries.append(Delivery(message.body, self._last_tag, message.delivered, message.headers))
            message.delivered = True
        return deliveries

    def ack(self, through: Delivery) -> None:
        """Forget this delivery and all before it."""
        for tag in [tag for tag in self._unacked if tag <= through.tag]:
            del self._unacked[tag]

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Copy the delivery to the dead letters."""
        self._bus.put(DEAD_LETTERS, delivery.body, {"reason": reason, "queue": self.queue_name})

    def is_ready(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Lose the connection: what is unacknowledged goes back. The next receive reads on."""
        returned, self._unacked = list(self._unacked.values()), {}
        self._bus.give_back(self.queue_name, returned)
