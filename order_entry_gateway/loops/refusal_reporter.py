"""Tells the feed which orders were refused, so that their senders can look them up later."""

import threading
import uuid
from collections import deque

from service_runtime.bus import Publisher
from service_runtime.clock import Clock
from venue_protocol import codec
from venue_protocol.refusals import Refusal
from venue_protocol.streams import OrderRejected, OrderReports
from venue_protocol.topology import DATA_FEED

_MOST_WAITING = 10_000
_EVERY_S = 0.1
_MOST_A_MESSAGE = 200
"""Reports of one message: under a megabyte, even if each character is escaped."""
_MOST_TEXT = 256
"""Characters of a message or name in a report; what is longer is cut."""


class RefusalReporter:
    """Collects refusals and publishes them in batches.

    A refusal changed nothing, so a crash may lose the last ones.
    """

    def __init__(
        self, publisher: Publisher, clock: Clock, stopping: threading.Event, run: str | None = None
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._stopping = stopping
        self._waiting: deque[OrderRejected] = deque(maxlen=_MOST_WAITING)
        self._run = run or uuid.uuid4().hex
        self._next = 1

    def refused(
        self,
        client_id: str,
        refusal: Refusal,
        client_order_id: str | None,
        security_id: str,
        side: str,
        quantity: int,
    ) -> None:
        """Note one refused order."""
        quantity_or_none = quantity if abs(quantity) < 1 << 62 else None
        self._waiting.append(
            OrderRejected(
                client_id,
                refusal.reason.code,
                refusal.message[:_MOST_TEXT],
                client_order_id and client_order_id[:_MOST_TEXT],
                security_id[:32],
                side[:_MOST_TEXT],
                quantity_or_none,
            )
        )

    def run(self) -> None:
        """Publish what waits, ten times a second, until stopping."""
        while not self._stopping.wait(_EVERY_S):
            self.publish()
        self.publish()

    def publish(self) -> None:
        """Publish what waits now."""
        while self._waiting and self._publisher.is_ready():
            reports = [
                self._waiting.popleft() for _ in range(min(_MOST_A_MESSAGE, len(self._waiting)))
            ]
            message = OrderReports(
                codec.SCHEMA, self._run, self._next, self._clock.now_us(), reports
            )
            self._next += len(reports)
            self._publisher.publish(DATA_FEED, codec.encode(message))
