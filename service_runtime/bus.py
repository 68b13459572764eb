"""The bus: what services may ask of a message broker. Bodies: `buses.rabbitmq`, `buses.memory`.

Guarantees of every body, checked by tests/contract/test_bus.py:
- a message whose confirmation is done is durable in every queue bound to its routing key;
- messages of one publisher arrive in a queue in the order published, possibly more than once;
  one that the broker refused comes after those that it took meanwhile;
- a delivery is repeated until it is acknowledged, also across reconnects;
- a lost connection is reopened by the body itself; `receive` and `publish` just take longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LONGEST_KEY_BYTES = 255
"""A routing key is a short string of AMQP."""
LONGEST_REASON = 500
"""Characters of a dead letter's reason; what is longer is cut."""


class BusError(RuntimeError):
    """The broker refused something that no retry mends (an unroutable key, a closed bus)."""


class Misdirected(ValueError):
    """A message does not belong in the queue that it came from, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came from a queue. `tag` numbers the deliveries of one consumer."""

    body: bytes
    tag: int
    redelivered: bool
    headers: Mapping[str, str] = field(default_factory=dict)


class Confirmation(Protocol):
    """The broker's word for one published message."""

    def done(self) -> bool:
        """Whether the broker has confirmed it."""
        ...

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until confirmed; False on time-out (the message may still arrive).

        BusError if unroutable.
        """
        ...


class Publisher(Protocol):
    """Publishes from any thread; keeps the order of calls."""

    def publish(
        self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Confirmation:
        """Send persistently and mandatorily.

        Returns at once, or waits while too many are unconfirmed.
        """
        ...

    def publish_to_all(self, routing_keys: Sequence[str], body: bytes) -> Sequence[Confirmation]:
        """Send the same message under each key. Those that nobody is bound to are only an error
        when all are so: who misses a message of a numbered stream notices and asks.
        """
        ...

    def is_ready(self) -> bool:
        """Whether it is connected and not blocked by the broker."""
        ...

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was published is confirmed; False on time-out."""
        ...

    def close(self) -> None:
        """Stop; what is unconfirmed may or may not have arrived."""
        ...


class Consumer(Protocol):
    """Reads one queue. For one thread only."""

    @property
    def queue_name(self) -> str:
        """The queue read, also its routing key; a private one has another name after each
        reconnect.
        """
        ...

    def receive(self, timeout_s: float, max_messages: int) -> list[Delivery]:
        """What waits now, oldest first: at least one and at most `max_messages`, or [] after
        `timeout_s`.
        """
        ...

    def ack(self, through: Delivery) -> None:
        """Acknowledge this delivery and all received before it.

        Nothing happens if the connection was lost since.
        """
        ...

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Move the delivery to the `dead_letters` queue with `reason` in its headers; durable on
        return.
        """
        ...

    def is_ready(self) -> bool:
        """Whether it is connected."""
        ...

    def close(self) -> None:
        """Stop; what is unacknowledged goes back to the queue."""
        ...


class Bus(Protocol):
    """A connection factory on one broker and virtual host."""

    def declare(self, queues: Sequence[str]) -> None:
        """Make sure that exchange, these durable queues (routing key = name) and the dead-letter
        queue exist.
        """
        ...

    def publisher(self) -> Publisher:
        """A new publisher with a connection of its own."""
        ...

    def consumer(self, queue: str, prefetch: int = 100) -> Consumer:
        """A new consumer of a durable queue, with a connection of its own."""
        ...

    def subscription(self, routing_key: str, prefetch: int = 100) -> Consumer:
        """A consumer of a private, exclusive queue bound to `routing_key`: sees what is published
        from now on.
        """
        ...

    def close(self) -> None:
        """Close all that this bus opened."""
        ...
