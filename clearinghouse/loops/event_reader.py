"""Reads `order_execution` and gives what continues each shard's stream to the settlement desk."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from clearinghouse.handlers import SettlementDesk
from clearinghouse.ports import LedgerStore
from service_runtime import metrics
from service_runtime.bus import Consumer, Delivery, Misdirected, Publisher
from service_runtime.database import DatabaseUnavailable
from service_runtime.pacing import Pace
from venue_protocol import codec, streams, topology
from venue_protocol.events import CorporateActionApplied, EventBatch
from venue_protocol.stream_intake import StreamIntake
from venue_protocol.streams import ResendRequest, StreamPosition

log = logging.getLogger(__name__)

_MOST_MESSAGES = 64
"""Read at a time: half of what the broker sends ahead, so the next ones are here already."""
_MOST_EVENTS = 5_000
"""Events settled in one transaction, which no message exceeds: it locks accounts, and the gateway
waits for them.
"""
_ANNOUNCE_S = 1.0
"""How often the newest report is announced: how late the feed may notice a lost last message."""
_LEAST_S, _FLOW = 0.012, range(1, _MOST_MESSAGES)
"""Messages: what comes in a flow of small ones is settled together."""
_IDLE_S = 0.25
"""How long to wait for a message: how late a stop is noticed."""


class EventReader:
    """The clearinghouse's consuming loop.

    An acknowledged message is settled, or will come again by resend.
    """

    def __init__(
        self,
        store: LedgerStore,
        consumer: Consumer,
        publisher: Publisher,
        desk: SettlementDesk,
        stopping: threading.Event,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._consumer = consumer
        self._publisher = publisher
        self._desk = desk
        self._stopping = stopping
        self._now_s = now_s
        self._intakes: dict[int, StreamIntake[EventBatch]] = {}
        """By shard."""
        self._unfinished: dict[int, list[EventBatch]] = {}
        """By shard: the first messages of a corporate action whose last has not come. After a crash
        they come again by resend.
        """
        self._announce_at_s = float("-inf")

    def run(self) -> None:
        """Read until the service stops.

        BrokenInvariant ends the process with nothing acknowledged.
        """
        pace = Pace(self._stopping, _LEAST_S, _FLOW)
        while not self._stopping.is_set():
            pace.wait()
            try:
                self.step(_IDLE_S, pace.began)
            except DatabaseUnavailable:
                return

    def step(self, timeout_s: float, began: Callable[[int], object] = lambda size: None) -> int:
        """Settle what waits, or comes within `timeout_s`; the number of messages taken.

        `began` is told that number before they are settled.
        """
        deliveries = self._consumer.receive(timeout_s, _MOST_MESSAGES)
        began(len(deliveries))
        self.handle(deliveries)
        if deliveries:
            self._consumer.ack(deliveries[-1])
        self._announce()
        return len(deliveries)

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Settle what these deliveries bring; it is committed on return.

        What waits behind a gap is kept, and the missing events are asked for.
        """
        taken: dict[int, list[EventBatch]] = {}
        for delivery in deliveries:
            metrics.messages_consumed.labels(topology.ORDER_EXECUTION).inc()
            try:
                self._take(codec.decode(delivery.body), taken)
            except (codec.CodecError, Misdirected) as error:
                metrics.dead_letters.labels(topology.ORDER_EXECUTION).inc()
                self._consumer.dead_letter(delivery, str(error))
        for shard, batches in taken.items():
            whole, self._unfinished[shard] = _whole(self._unfinished.get(shard, []) + batches)
            for together in _by_transaction(whole):
                self._desk.settle([batch for unit in together for batch in unit])
        self._ask_for_missing()

    def _take(self, message: codec.Message, taken: dict[int, list[EventBatch]]) -> None:
        """Add to `taken` what continues a stream; Misdirected if the message belongs elsewhere."""
        if isinstance(message, EventBatch):
            if message.shard < 0 or message.first < 1 or not message.events:
                raise Misdirected(
                    f"{len(message.events)} events of shard {message.shard} from {message.first} on"
                )
            intake = self._intake(message.shard)
            if message.last <= intake.position:
                metrics.messages_duplicate.labels(streams.events(message.shard)).inc()
            for batch, _ in intake.take(message):
                taken.setdefault(batch.shard, []).append(batch)
        elif (
            isinstance(message, StreamPosition)
            and (shard := streams.event_shard(message.stream)) is not None
        ):
            self._intake(shard).announce(message.sequence)
        else:
            raise Misdirected(
                f"a {type(message).__name__} does not belong on {topology.ORDER_EXECUTION}"
            )

    def is_caught_up(self) -> bool:
        """Whether no known event is missing."""
        # A copy: other threads ask while the reader meets a new shard.
        return not any(intake.is_behind() for intake in list(self._intakes.values()))

    def _intake(self, shard: int) -> StreamIntake[EventBatch]:
        intake = self._intakes.get(shard)
        if intake is None:
            stream = streams.events(shard)
            position = self._store.run(
                lambda transaction: transaction.position(stream), self._stopping
            )
            intake = self._intakes[shard] = StreamIntake(position)
        return intake

    def _ask_for_missing(self) -> None:
        """Ask the engines for the events that are missing."""
        if not self._publisher.is_ready():
            return
        for shard, intake in self._intakes.items():
            after = intake.ask_after(self._now_s())
            if after is not None:
                stream = streams.events(shard)
                metrics.gaps_noticed.labels(stream).inc()
                log.warning(
                    "events are missing, asking again", extra={"stream": stream, "sequence": after}
                )
                request = ResendRequest(codec.SCHEMA, stream, after, topology.ORDER_EXECUTION)
                self._publisher.publish(topology.resend_queue(shard), codec.encode(request))

    def _announce(self) -> None:
        if self._now_s() < self._announce_at_s:
            return
        self._announce_at_s = self._now_s() + _ANNOUNCE_S
        try:
            self._desk.announce()
        except DatabaseUnavailable as error:
            log.warning("can't announce the settlement position now", extra={"error": str(error)})


def _whole(batches: Sequence[EventBatch]) -> tuple[list[list[EventBatch]], list[EventBatch]]:
    """The same batches in order, in units that one transaction settles, and the unit that is not
    whole yet.

    A corporate action is settled as a whole: after its first message holders would have shares
    that its later messages hold for their orders.
    """
    units: list[list[EventBatch]] = []
    is_open = False
    for batch in batches:
        if is_open:
            units[-1].append(batch)
        else:
            units.append([batch])
        is_open = batch.log_last < batch.log_first and (is_open or _acts(batch))
    return (units[:-1], units[-1]) if is_open else (units, [])


def _acts(batch: EventBatch) -> bool:
    return any(type(event) is CorporateActionApplied for event in batch.events)


def _by_transaction(units: Sequence[list[EventBatch]]) -> Iterator[list[list[EventBatch]]]:
    """The same units in order, in lists of at most _MOST_EVENTS events, or of one unit."""
    together: list[list[EventBatch]] = []
    events = 0
    for unit in units:
        size = sum(len(batch.events) for batch in unit)
        if together and events + size > _MOST_EVENTS:
            yield together
            together, events = [], 0
        together.append(unit)
        events += size
    if together:
        yield together
