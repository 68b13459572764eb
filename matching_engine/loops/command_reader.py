"""The engine's consuming loop: commands from `order_entry`, gaps and lost messages from the log."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from matching_engine.handlers import MatchingDesk
from service_runtime import metrics
from service_runtime.bus import BusError, Confirmation, Consumer, Delivery
from service_runtime.database import DatabaseUnavailable
from venue_protocol import codec
from venue_protocol.commands import CommandBatch

log = logging.getLogger(__name__)

_MOST_MESSAGES = 64
_IDLE_S = 0.25
_CONFIRM_S = 0.01
_ANNOUNCE_S = 1.0


class CommandReader:
    """Reads commands until the service stops.

    A command is acknowledged once its events are confirmed.
    """

    def __init__(
        self,
        desk: MatchingDesk,
        consumer: Consumer,
        queue: str,
        stopping: threading.Event,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._consumer = consumer
        self._queue = queue
        self._stopping = stopping
        self._now_s = now_s
        self._unconfirmed: deque[tuple[Delivery, list[Confirmation]]] = deque()
        self._announce_at_s = float("-inf")
        self.is_recovered = False
        """Whether the log was replayed after the start."""

    def run(self) -> None:
        """Recover, then read. A broken invariant ends the process with nothing acknowledged."""
        self.recover()
        while not self._stopping.is_set():
            self.step()

    def recover(self) -> None:
        """Replay the log; waits for the database."""
        self.is_recovered = self._retry(self._desk.recover)

    def step(self) -> None:
        """Handle what waits; look at the log when nothing does."""
        deliveries = self._consumer.receive(
            _CONFIRM_S if self._unconfirmed else _IDLE_S, _MOST_MESSAGES
        )
        for delivery in deliveries:
            if self._stopping.is_set():
                break
            self._handle(delivery)
        self._acknowledge()
        if not deliveries and not self._unconfirmed:
            self._retry(self._look_at_log)
        self._announce()

    def _handle(self, delivery: Delivery) -> None:
        metrics.messages_consumed.labels(self._queue).inc()
        try:
            message = codec.decode(delivery.body)
            if not isinstance(message, CommandBatch) or message.shard != self._desk.engine.shard:
                raise codec.CodecError(f"a {type(message).__name__} does not belong here")
        except codec.CodecError as error:
            # What it should have been is in the log: the gap will be read from there.
            metrics.dead_letters.labels(self._queue).inc()
            self._consumer.dead_letter(delivery, str(error))
            self._unconfirmed.append((delivery, []))
            return
        confirmations: list[Confirmation] = []
        if self._retry(lambda: confirmations.extend(self._desk.command_batch(message))):
            self._unconfirmed.append((delivery, confirmations))

    def _acknowledge(self) -> None:
        confirmed = None
        while self._unconfirmed:
            delivery, confirmations = self._unconfirmed[0]
            try:
                if not all(confirmation.done() for confirmation in confirmations):
                    break
            except BusError as error:
                # A queue vanished with the broker's data. Its reader will notice the gap and ask.
                log.error("events could not be routed", extra={"error": str(error)})
            confirmed = delivery
            self._unconfirmed.popleft()
        if confirmed is not None:
            self._consumer.ack(confirmed)

    def _look_at_log(self) -> None:
        if self._desk.is_behind():
            self._desk.catch_up()

    def _announce(self) -> None:
        if self._now_s() >= self._announce_at_s:
            self._announce_at_s = self._now_s() + _ANNOUNCE_S
            self._desk.announce()

    def _retry(self, action: Callable[[], None]) -> bool:
        """Do `action`, again and again while the database is away.

        False if the service stops before it is done.
        """
        while not self._stopping.is_set():
            try:
                action()
                return True
            except DatabaseUnavailable as error:
                log.warning("the order log is away", extra={"error": str(error)})
                self._stopping.wait(0.3)
        return False
