"""Reading one queue over a BlockingConnection, in the caller's thread; reopens the connection by
itself.
"""

import logging
import time
from collections import deque
from typing import Any

import pika
from pika.exceptions import AMQPError

from service_runtime.backoff import Backoff
from service_runtime.bus import LONGEST_REASON, Delivery
from service_runtime.buses.rabbitmq_topology import (
    DEAD_LETTER_EXCHANGE,
    declare_queue,
    declare_subscription,
    declare_topology,
)
from venue_protocol.topology import DEAD_LETTERS

log = logging.getLogger(__name__)

_FAULTS = (AMQPError, OSError)


class RabbitConsumer:
    """A Consumer of `queue`, or of a private queue bound to `routing_key`."""

    def __init__(
        self,
        parameters: pika.URLParameters,
        *,
        queue: str | None,
        routing_key: str | None,
        prefetch: int,
    ) -> None:
        self._parameters = parameters
        self._durable_queue = queue
        self._routing_key = routing_key
        self._prefetch = prefetch
        self._connection: Any = None
        self._channel: Any = None
        self._confirming: Any = None
        self._buffer: deque[Delivery] = deque()
        self._tag_base = 0
        self._last_tag = 0
        self._acked = 0
        self._backoff = Backoff()
        self._retry_at = 0.0
        self.queue_name = queue or ""
        """The queue read; for a private one its name changes with each connection."""

    def receive(self, timeout_s: float, max_messages: int) -> list[Delivery]:
        """What waits now, oldest first, or [] after `timeout_s`; also [] when the broker is away
        that long.
        """
        deadline = time.monotonic() + timeout_s
        while not self._buffer:
            left_s = deadline - time.monotonic()
            if self.is_ready() or self._reconnect(left_s):
                self._read(max(left_s, 0))
            if not self._buffer and time.monotonic() >= deadline:
                return []
        # One reading brings a few hundred kilobytes: the more of what waits is taken together, the
        # cheaper it is.
        while len(self._buffer) < max_messages and self.is_ready():
            before = len(self._buffer)
            self._read(0)
            if len(self._buffer) <= before:
                break
        return [self._buffer.popleft() for _ in range(min(max_messages, len(self._buffer)))]

    def _read(self, time_limit_s: float) -> None:
        """Move what has come on the connection to the buffer; waits for the first of it."""
        try:
            self._connection.process_data_events(time_limit=time_limit_s)
        except _FAULTS as error:
            self._lost(error)

    def ack(self, through: Delivery) -> None:
        """Acknowledge `through` and all before it; nothing if they belong to a lost connection."""
        if through.tag <= max(self._acked, self._tag_base) or not self.is_ready():
            return
        try:
            self._channel.basic_ack(through.tag - self._tag_base, multiple=True)
            self._acked = through.tag
        except _FAULTS as error:
            self._lost(error)

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Copy the delivery to the dead letters with the reason; durable on return.

        Tries until the broker takes it.
        """
        properties = pika.BasicProperties(
            delivery_mode=2,
            headers={
                "reason": reason[:LONGEST_REASON],
                "queue": self._durable_queue or str(self._routing_key),
            },
        )
        while True:
            if not self.is_ready() and not self._reconnect(5.0):
                continue
            try:
                if self._confirming is None:
                    self._confirming = self._connection.channel()
                    self._confirming.confirm_delivery()
                self._confirming.basic_publish(
                    DEAD_LETTER_EXCHANGE, DEAD_LETTERS, delivery.body, properties, mandatory=True
                )
                log.error(
                    "message dead-lettered", extra={"reason": reason, "queue": self.queue_name}
                )
                return
            except _FAULTS as error:
                self._lost(error)

    def is_ready(self) -> bool:
        """Whether it is connected and consuming."""
        channel = self._channel
        return channel is not None and bool(channel.is_open)

    def close(self) -> None:
        """Close the connection; what is unacknowledged goes back to the queue."""
        self._drop()

    def connect(self) -> None:
        """Connect now; when there is no broker, `receive` will."""
        self._reconnect(0)

    def _connect(self) -> None:
        """Connect, or raise pika's errors."""
        connection = pika.BlockingConnection(self._parameters)
        try:
            channel = connection.channel()
            declare_topology(channel)
            if self._durable_queue is not None:
                declare_queue(channel, self._durable_queue)
                self.queue_name = self._durable_queue
            else:
                self.queue_name = declare_subscription(channel, str(self._routing_key))
            channel.basic_qos(prefetch_count=self._prefetch)
            channel.add_on_cancel_callback(self._on_cancelled)
            self._tag_base = self._last_tag
            channel.basic_consume(self.queue_name, self._on_message)
        except _FAULTS:
            _close_quietly(connection)
            raise
        self._connection, self._channel = connection, channel
        self._backoff.reset()

    def _reconnect(self, patience_s: float) -> bool:
        """Whether one attempt succeeded; none is made before the back-off is over.

        Sleeps `patience_s` at most.
        """
        pause_s = self._retry_at - time.monotonic()
        if pause_s > 0:
            time.sleep(max(0.0, min(pause_s, patience_s)))
            if pause_s > patience_s:
                return False
        try:
            self._connect()
            return True
        except _FAULTS as error:
            self._lost(error)
            return False

    def _on_message(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self._last_tag = self._tag_base + method.delivery_tag
        self._buffer.append(
            Delivery(body, self._last_tag, method.redelivered, properties.headers or {})
        )

    def _on_cancelled(self, _frame: Any) -> None:
        # The queue was deleted or moved: start_consuming would end silently here.
        self._lost(ConnectionError("the broker cancelled the consumer"))

    def _lost(self, error: BaseException) -> None:
        log.warning(
            "consumer connection lost", extra={"queue": self.queue_name, "error": repr(error)}
        )
        self._drop()
        self._retry_at = time.monotonic() + self._backoff.next_s()

    def _drop(self) -> None:
        connection, self._connection, self._channel, self._confirming = (
            self._connection,
            None,
            None,
            None,
        )
        self._buffer.clear()
        if connection is not None:
            _close_quietly(connection)


def _close_quietly(connection: Any) -> None:
    try:
        if connection.is_open:
            connection.close()
    except _FAULTS:
        log.debug("connection was closing already")
