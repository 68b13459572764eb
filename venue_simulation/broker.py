"""A broker in memory that does all that a broker may do, when told: late, twice, or lost; each
publisher in order.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random

from service_runtime.bus import Delivery
from service_runtime.buses.memory import MemoryBus, MemoryConsumer
from venue_simulation.faults import CONNECTION_LOST, Faults


class SimulatedBus(MemoryBus):
    """Queues as in MemoryBus; messages come into them only when a publisher's `send` is called."""

    def __init__(self, faults: Faults, on_arrival: Callable[[str, bytes], None]) -> None:
        super().__init__()
        self.faults = faults
        self._on_arrival = on_arrival

    def publisher(self) -> "SimulatedPublisher":  # type: ignore[override]
        """A new publisher."""
        return SimulatedPublisher(self)

    def consumer(self, queue: str, prefetch: int = 100) -> "SimulatedConsumer":
        """A new consumer of a durable queue."""
        self.declare([queue])
        consumer = SimulatedConsumer(self, queue, prefetch)
        self._consumers.append(consumer)
        return consumer

    def arrive(self, routing_key: str, body: bytes, headers: Mapping[str, str]) -> None:
        """A message reaches the broker."""
        self._on_arrival(routing_key, body)
        self.put(routing_key, body, headers)

    def forget(self, consumer: "SimulatedConsumer") -> None:
        """Its process died: what it had not acknowledged goes back."""
        consumer.close()
        self._consumers.remove(consumer)

    def wipe(self) -> None:
        """The broker's data folder is deleted: every message is lost, also those delivered and
        unacknowledged.
        """
        for consumer in self._consumers:
            consumer.close()
        for queue in self._queues:
            self.purge(queue)


class _Sent:
    """A message until the broker confirms it."""

    __slots__ = ("body", "headers", "is_confirmed", "is_sent", "routing_key")

    def __init__(self, routing_key: str, body: bytes, headers: Mapping[str, str]) -> None:
        self.routing_key = routing_key
        self.body = body
        self.headers = headers
        self.is_sent = False
        self.is_confirmed = False

    def done(self) -> bool:
        """Whether the broker has confirmed it."""
        return self.is_confirmed

    def wait(self, timeout_s: float | None = None) -> bool:
        """Nothing changes by waiting in a single thread."""
        return self.is_confirmed


class SimulatedPublisher:
    """A Publisher whose messages leave, and are confirmed, when the schedule says so."""

    def __init__(self, bus: SimulatedBus) -> None:
        self._bus = bus
        self._unconfirmed: deque[_Sent] = deque()
        self._unsent: deque[_Sent] = deque()
        self.is_blocked = False
        """The broker takes nothing from it now."""

    def publish(
        self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> _Sent:
        """Queue a message for sending."""
        self._bus.faults.at_publish()
        sent = _Sent(routing_key, body, dict(headers or {}))
        self._unsent.append(sent)
        return sent

    def publish_to_all(self, routing_keys: Sequence[str], body: bytes) -> list[_Sent]:
        """Queue a message for each key: one of them may be lost without the other."""
        return [self.publish(routing_key, body) for routing_key in routing_keys]

    def is_ready(self) -> bool:
        """Whether the broker takes messages."""
        return not self.is_blocked

    def flush(self, timeout_s: float) -> bool:
        """Whether all is confirmed."""
        return not self.has_work()

    def close(self) -> None:
        """What is unsent never arrives."""
        self._unsent.clear()

    def has_work(self) -> bool:
        """Whether anything is to be sent or confirmed."""
        return bool(self._unsent or self._unconfirmed)

    def send(self, most: int) -> None:
        """Up to `most` messages reach the broker, in order."""
        for _ in range(min(most, len(self._unsent))):
            sent = self._unsent.popleft()
            self._bus.arrive(sent.routing_key, sent.body, sent.headers)
            self._unconfirmed.append(sent)

    def confirm(self, most: int) -> None:
        """The broker's word for up to `most` messages comes back, in order."""
        for _ in range(min(most, len(self._unconfirmed))):
            self._unconfirmed.popleft().is_confirmed = True

    def reconnect(self) -> int:
        """The connection is lost and opened again: what is unconfirmed is sent again; how many."""
        count = len(self._unconfirmed)
        self._unsent.extendleft(reversed(self._unconfirmed))
        self._unconfirmed.clear()
        return count

    def crash(self, dice: Random) -> None:
        """The process is gone: some of what it had queued had left already, the rest is lost."""
        if self._unsent:
            self.send(dice.randrange(len(self._unsent) + 1))
        self._unsent.clear()
        self._unconfirmed.clear()


class SimulatedConsumer(MemoryConsumer):
    """A Consumer that never waits."""

    def __init__(self, bus: SimulatedBus, queue: str, prefetch: int) -> None:
        super().__init__(bus, queue, None, prefetch)
        self._simulated = bus

    def receive(self, timeout_s: float, max_messages: int) -> list[Delivery]:
        """What waits now."""
        return super().receive(0.0, max_messages)

    def ack(self, through: Delivery) -> None:
        """Acknowledge; the process may die, or lose its connection, just before."""
        self._simulated.faults.at_publish()
        if self._simulated.faults.strikes(CONNECTION_LOST):
            self.close()
        super().ack(through)
