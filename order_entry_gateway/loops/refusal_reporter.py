"""Tells the feed which orders were refused, so that their senders can look them up later."""

import logging
import threading
import uuid
from collections import deque

from order_entry_gateway import metrics
from service_runtime.bus import Publisher
from service_runtime.clock import Clock
from venue_protocol import codec
from venue_protocol.refusals import Refusal
from venue_protocol.streams import OrderRejected, OrderReports
from venue_protocol.topology import DATA_FEED

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
_EVERY_S = 0.1
_MOST_A_MESSAGE = 200
"""Reports of one message: under a megabyte, even if each character is escaped."""
_MOST_TEXT = 256
"""Characters of a message or name in a report; what is longer is cut."""

_TOLD_US = 300_000_000
"""So long after the last one left out, the gateway still says that its record has a hole."""


class RefusalReporter:
    """Collects refusals and publishes them in batches.

    A refusal changed nothing, so a crash may lose the last ones. While the broker takes nothing,
    the newest MOST_WAITING wait; each older one that is left out is counted.
    """

    def __init__(
        self, publisher: Publisher, clock: Clock, stopping: threading.Event, run: str | None = None
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._stopping = stopping
        self._waiting: deque[OrderRejected] = deque(maxlen=MOST_WAITING)
        self._noting = threading.Lock()
        """Requests come in many threads; without it two would count one that is left out."""
        self._left_out = 0
        """Since what waited was last published."""
        self._left_out_us: int | None = None
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
        report = OrderRejected(
            client_id,
            refusal.reason.code,
            refusal.message[:_MOST_TEXT],
            client_order_id and client_order_id[:_MOST_TEXT],
            security_id[:32],
            side[:_MOST_TEXT],
            quantity_or_none,
        )
        with self._noting:
            if len(self._waiting) == MOST_WAITING:
                self._count_left_out()
            self._waiting.append(report)

    def has_left_out(self) -> bool:
        """Whether refused orders were left out of the record within the last five minutes."""
        since_us = self._left_out_us
        return since_us is not None and self._clock.now_us() - since_us < _TOLD_US

    def run(self) -> None:
        """Publish what waits, ten times a second, until stopping."""
        while not self._stopping.wait(_EVERY_S):
            self.publish()
        self.publish()

    def publish(self) -> None:
        """Publish what waits now."""
        while self._waiting and self._publisher.is_ready():
            with self._noting:
                size = min(_MOST_A_MESSAGE, len(self._waiting))
                reports = [self._waiting.popleft() for _ in range(size)]
                left_out, self._left_out = self._left_out, 0
            if left_out:
                log.warning("refused orders left out of the record", extra={"orders": left_out})
            message = OrderReports(
                codec.SCHEMA, self._run, self._next, self._clock.now_us(), reports
            )
            self._next += len(reports)
            self._publisher.publish(DATA_FEED, codec.encode(message))

    def _count_left_out(self) -> None:
        self._left_out += 1
        self._left_out_us = self._clock.now_us()
        metrics.refusals_left_out.inc()
