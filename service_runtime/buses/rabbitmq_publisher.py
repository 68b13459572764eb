"""Publishing with asynchronous confirms: a SelectConnection in a thread of its own (17,000
confirmed messages/s).

What is unconfirmed when a connection ends is sent again, in order, on the next one. So nothing is
lost and the order is kept; a reader may see a message twice.

What the broker refuses (a message larger than it takes, a nack of a full queue, a blocked
connection) is sent again too, for as long as it takes: one message at a time, with growing pauses.
Until the broker confirms one, `is_ready` says no, which shows in /readyz, `venue status` and the
metrics. Order goes before progress: what follows a refused message waits for it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pika
from pika.exceptions import AMQPError, ConnectionClosedByBroker

from service_runtime.backoff import Backoff
from service_runtime.bus import LONGEST_KEY_BYTES, BusError
from service_runtime.buses.rabbitmq_topology import (
    DEAD_LETTER_EXCHANGE,
    declare_queue,
    declare_topology,
)
from venue_protocol.topology import DEAD_LETTERS, DURABLE_QUEUES, EXCHANGE

log = logging.getLogger(__name__)

_MAX_UNCONFIRMED = 2_000
"""Messages: a tenth of a second of full load, so that a pause of the broker stops nobody."""
_MAX_UNCONFIRMED_BYTES = 64_000_000
"""Of their bodies, so that large messages can't fill the memory while the broker is away."""
_PERSISTENT = 2
_FORCED = 320
"""AMQP's CONNECTION_FORCED: the broker shuts down, or an operator closed the connection."""
_MORE_KEYS = "BCC"
"""Header with further routing keys, which the broker takes out (RabbitMQ: sender-selected
distribution).
"""
_CLOSE_S = 3.0


class _Pending:
    """One message until the broker confirms it."""

    __slots__ = ("_event", "body", "error", "headers", "returned", "routing_key")

    def __init__(self, routing_key: str, body: bytes, headers: Mapping[str, object] | None) -> None:
        self.routing_key = routing_key
        self.body = body
        self.headers = headers
        self.error: str | None = None
        self.returned = False
        self._event = threading.Event()

    def done(self) -> bool:
        """Whether the broker has confirmed it; BusError if it could not be routed."""
        if self.error:
            raise BusError(self.error)
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until confirmed; False on time-out. BusError if it could not be routed."""
        self._event.wait(timeout_s)
        return self.done()

    def resolve(self) -> None:
        """The broker has answered: confirmed, or returned as unroutable."""
        if self.returned:
            self.error = f"no queue is bound to {self.routing_key!r}"
        self._event.set()

    def give_up(self) -> None:
        """The publisher was closed first: whoever waits learns that the outcome is unknown."""
        self.error = "the publisher was closed before the broker confirmed"
        self._event.set()


class RabbitPublisher:
    """A Publisher. Thread-safe; the connection lives in its own thread."""

    def __init__(
        self, parameters: pika.URLParameters, connect: Callable[..., Any] = pika.SelectConnection
    ) -> None:
        self._parameters = parameters
        self._connect = connect
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._outbox: deque[_Pending] = deque()
        self._unconfirmed: dict[int, _Pending] = {}
        self._bytes = 0
        """Of the bodies that are unsent or unconfirmed."""
        self._next_tag = 1
        self._connection: Any = None
        self._channel: Any = None
        self._open = False
        self._blocked = False
        self._refused = False
        """Whether the broker refused a message and has confirmed none since."""
        self._is_counted = False
        """Whether the metric counts this publisher as waiting."""
        self._closing = threading.Event()
        self._scheduled = False
        self._backoff = Backoff()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def publish(
        self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> _Pending:
        """Queue a message for sending.

        Waits while too many are unconfirmed; BusError once closed.
        """
        return self._queue(routing_key, body, dict(headers) if headers else None)

    def publish_to_all(self, routing_keys: Sequence[str], body: bytes) -> list[_Pending]:
        """Queue one message that the broker routes by every key (its BCC header): it travels and is
        stored once.
        """
        first, *others = routing_keys
        return [self._queue(first, body, {_MORE_KEYS: others} if others else None)]

    def _queue(
        self, routing_key: str, body: bytes, headers: Mapping[str, object] | None
    ) -> _Pending:
        if len(routing_key.encode()) > LONGEST_KEY_BYTES:
            raise BusError(f"a routing key has {LONGEST_KEY_BYTES} bytes at most")
        pending = _Pending(routing_key, body, headers)
        with self._room:
            while self._is_full(len(body)) and not self._closing.is_set():
                self._room.wait(1.0)
            if self._closing.is_set():
                raise BusError("the publisher is closed")
            self._outbox.append(pending)
            self._bytes += len(body)
            wake = self._open and not self._scheduled
            self._scheduled = self._scheduled or wake
        if wake:
            self._wake()
        return pending

    def _is_full(self, size: int) -> bool:
        """Whether one more message of so many bytes has to wait. One alone never has to."""
        waiting = len(self._outbox) + len(self._unconfirmed)
        return waiting >= _MAX_UNCONFIRMED or (
            waiting > 0 and self._bytes + size > _MAX_UNCONFIRMED_BYTES
        )

    def is_ready(self) -> bool:
        """Whether it is connected, and the broker takes what it sends."""
        return self._open and not self._blocked and not self._refused

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is unsent or unconfirmed; False on time-out."""
        with self._room:
            return self._room.wait_for(
                lambda: not self._outbox and not self._unconfirmed, timeout_s
            )

    def close(self) -> None:
        """Stop the connection and its thread; BusError for who still waits for a confirmation."""
        self._closing.set()
        with self._room:
            self._room.notify_all()
        self._call(self._close_connection)
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():
            # A blocked or frozen broker does not answer the goodbye.
            self._call(lambda: self._connection.ioloop.stop())
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._serve_one_connection()
            except Exception as error:
                # Whatever it is: a publisher whose thread is dead would swallow every message
                # without a word.
                log.warning(
                    "publisher connection failed", exc_info=True, extra={"error": repr(error)}
                )
            self._requeue_unconfirmed()
            self._closing.wait(self._backoff.next_s())
        with self._room:
            abandoned = list(self._outbox)
            self._outbox.clear()
            self._bytes = 0
            self._room.notify_all()
        self._count()
        for pending in abandoned:
            pending.give_up()

    def _serve_one_connection(self) -> None:
        """Connect and work until the connection ends."""
        connection = self._connect(
            self._parameters,
            on_open_callback=self._on_connection_open,
            on_open_error_callback=self._on_connection_lost,
            on_close_callback=self._on_connection_lost,
        )
        self._connection = connection
        try:
            connection.ioloop.start()
        finally:
            connection.ioloop.close()

    def _close_connection(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        else:
            self._connection.ioloop.stop()

    def _on_connection_open(self, connection: Any) -> None:
        if self._closing.is_set():
            connection.close()
            return
        connection.add_on_connection_blocked_callback(
            lambda _, frame: self._set_blocked(True, str(frame.method.reason))
        )
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_connection_lost(self, connection: Any, error: Any) -> None:
        if not self._closing.is_set():
            log.warning("publisher connection lost", extra={"error": repr(error)})
            if isinstance(error, ConnectionClosedByBroker) and error.reply_code != _FORCED:
                self._note_refusal("connection_closed", repr(error))
        connection.ioloop.stop()

    def _on_channel_open(self, channel: Any) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)
        # A virtual host that lost its data has no exchange and no queues: declare before the first
        # message.
        # Without callbacks these do not wait for answers, and the broker handles them in order.
        declare_topology(channel)
        for queue in DURABLE_QUEUES:
            declare_queue(channel, queue)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._on_confirming(channel))

    def _on_confirming(self, channel: Any) -> None:
        with self._lock:
            if self._closing.is_set():
                return
            self._channel = channel
            self._next_tag = 1
            self._open = True
            self._scheduled = True
            # A refused message waits in the outbox until it is confirmed; without one there is
            # nothing left to be refused.
            self._refused = self._refused and bool(self._outbox)
        if not self._refused:
            self._backoff.reset()
        self._count()
        self._drain()

    def _on_channel_closed(self, channel: Any, error: Any) -> None:
        with self._lock:
            self._open = False
        if channel.connection.is_open:
            self._note_refusal("channel_closed", repr(error))
            channel.connection.close()

    def _set_blocked(self, blocked: bool, cause: str = "") -> None:
        if blocked:
            self._blocked = True
            _count_refusal("blocked")
            log.warning("broker blocked publishing", extra={"cause": cause})
        else:
            self._blocked = False
            log.warning("broker takes messages again")
            self._drain()
        self._count()

    def _note_refusal(self, cause: str, error: str) -> None:
        """The broker did not take a message: from now on one at a time, until it takes one."""
        self._refused = True
        _count_refusal(cause)
        log.error(
            "broker refused a message, it will be sent again",
            extra={"cause": cause, "error": error},
        )
        self._count()

    def _count(self) -> None:
        """Keep the metric of publishers that wait."""
        waits = (self._refused or self._blocked) and not self._closing.is_set()
        if waits != self._is_counted:
            self._is_counted = waits
            _count_waiting(1 if waits else -1)

    def _drain(self) -> None:
        """Send what waits. Runs in the connection's thread."""
        while True:
            with self._lock:
                is_probing = self._refused and bool(self._unconfirmed)
                if not self._open or self._blocked or not self._outbox or is_probing:
                    self._scheduled = False
                    return
                pending = self._outbox.popleft()
                self._unconfirmed[self._next_tag] = pending
                self._next_tag += 1
            exchange = DEAD_LETTER_EXCHANGE if pending.routing_key == DEAD_LETTERS else EXCHANGE
            self._channel.basic_publish(
                exchange, pending.routing_key, pending.body, _properties(pending), mandatory=True
            )

    def _on_return(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        for pending in self._unconfirmed.values():
            if (
                pending.routing_key == method.routing_key
                and pending.body == body
                and not pending.returned
            ):
                pending.returned = True
                log.error("message could not be routed", extra={"routing_key": method.routing_key})
                return

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        refused = isinstance(method, pika.spec.Basic.Nack)
        with self._room:
            tags = [method.delivery_tag]
            if method.multiple:
                tags = [tag for tag in self._unconfirmed if tag <= method.delivery_tag]
            answered = [self._unconfirmed.pop(tag) for tag in tags if tag in self._unconfirmed]
            if refused:
                self._outbox.extendleft(reversed(answered))
            else:
                self._bytes -= sum(len(pending.body) for pending in answered)
            self._room.notify_all()
        if refused:
            self._note_refusal("nack", f"{len(answered)} messages")
            self._connection.ioloop.call_later(self._backoff.next_s(), self._drain)
            return
        if self._refused:
            self._refused = False
            self._backoff.reset()
            self._count()
            log.warning("broker takes messages again")
            self._drain()
        for pending in answered:
            pending.resolve()

    def _requeue_unconfirmed(self) -> None:
        with self._lock:
            self._open = False
            self._blocked = False
            self._channel = None
            self._outbox.extendleft(reversed(self._unconfirmed.values()))
            self._unconfirmed.clear()
            for pending in self._outbox:
                pending.returned = False
        self._count()

    def _wake(self) -> None:
        self._call(self._drain)

    def _call(self, function: Any) -> None:
        try:
            self._connection.ioloop.add_callback_threadsafe(function)
        except (AMQPError, AttributeError, OSError, RuntimeError):
            log.debug("publisher loop is between connections")


# The console publishes too and must start quickly, so the metrics are loaded when there is
# something to count.
def _count_refusal(cause: str) -> None:
    from service_runtime import metrics

    metrics.publisher_refusals.labels(cause).inc()


def _count_waiting(change: int) -> None:
    from service_runtime import metrics

    metrics.publishers_waiting.inc(change)


def _properties(pending: _Pending) -> pika.BasicProperties:
    return pika.BasicProperties(
        delivery_mode=_PERSISTENT, content_type="application/json", headers=pending.headers
    )
