"""Answering resend requests: recent events from memory, older ones derived again from a snapshot
and the log.
"""

import logging
import threading
from collections.abc import Iterator

from matching_engine.domain.engine import MatchingEngine
from matching_engine.ports import LogReader, Snapshots
from matching_engine.recent_events import RecentEvents
from service_runtime import metrics
from service_runtime.bus import Consumer, Delivery, Publisher
from service_runtime.database import DatabaseUnavailable
from venue_protocol import codec, streams
from venue_protocol.event_parts import event_parts
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.streams import ResendRequest
from venue_protocol.topology import resend_queue

log = logging.getLogger(__name__)

_MOST_REQUESTS = 100


class Resender:
    """Publishes events again to the reader that missed them.

    Runs in a thread of its own, beside the live engine.
    """

    def __init__(
        self,
        shard: int,
        consumer: Consumer,
        publisher: Publisher,
        recent: RecentEvents,
        snapshots: Snapshots,
        log_reader: LogReader,
        stopping: threading.Event,
        bounds: MessageBounds = BOUNDS,
    ) -> None:
        self._shard = shard
        self._consumer = consumer
        self._publisher = publisher
        self._recent = recent
        self._snapshots = snapshots
        self._log_reader = log_reader
        self._stopping = stopping
        self._bounds = bounds

    def run(self) -> None:
        """Answer requests until stopping."""
        while not self._stopping.is_set():
            self.step(0.25)

    def step(self, timeout_s: float) -> int:
        """Answer what waits, or comes within `timeout_s`; the number of requests taken.

        A reader asks again about every second until it has everything, and each answer goes up to
        the newest event. So only its last request counts, and a request is acknowledged before a
        long answer: a lost one comes again.
        """
        deliveries = self._consumer.receive(timeout_s, _MOST_REQUESTS)
        newest: dict[str, ResendRequest] = {}
        for delivery in deliveries:
            try:
                request = self._read(delivery)
                newest[request.reply_to] = request
            except codec.CodecError as error:
                metrics.dead_letters.labels(resend_queue(self._shard)).inc()
                self._consumer.dead_letter(delivery, str(error))
        if deliveries:
            self._consumer.ack(deliveries[-1])
        for request in newest.values():
            self._answer(request)
        return len(deliveries)

    def _read(self, delivery: Delivery) -> ResendRequest:
        message = codec.decode(delivery.body)
        if not isinstance(message, ResendRequest) or message.stream != streams.events(self._shard):
            raise codec.CodecError(f"a {type(message).__name__} does not belong here")
        return message

    def _answer(self, request: ResendRequest) -> None:
        sent = 0
        try:
            for body in self._bodies_after(request.after):
                self._publisher.publish(request.reply_to, body)
                sent += 1
                if self._stopping.is_set():
                    return
        except DatabaseUnavailable as error:
            log.warning(
                "resend broken off, it will be asked for again", extra={"error": str(error)}
            )
        log.info(
            "resent", extra={"stream": request.stream, "after": request.after, "batches": sent}
        )

    def _bodies_after(self, position: int) -> Iterator[bytes]:
        recent = self._recent.after(position)
        if recent is not None:
            yield from recent
            return
        engine = self._snapshots.load(events_at_most=position) or MatchingEngine(self._shard)
        for batch in self._log_reader.batches(engine.log_position):
            events = engine.apply(batch)
            if events.last > position:
                for part in event_parts(events, self._bounds):
                    if part.last > position:
                        yield part.body
