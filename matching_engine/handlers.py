"""From command batches to published events. The order is the log's, whatever the broker brings."""

import logging
import threading

from matching_engine.domain.engine import MatchingEngine
from matching_engine.ports import LogReader, Snapshots
from matching_engine.recent_events import RecentEvents
from service_runtime import metrics
from service_runtime.bus import Confirmation, Publisher
from venue_protocol import codec, streams
from venue_protocol.commands import (
    ApplyCorporateAction,
    CommandBatch,
    SetPhase,
    SetVolatilityBands,
)
from venue_protocol.event_parts import EventPart, event_parts
from venue_protocol.events import CorporateActionApplied, PhaseChanged
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.streams import StreamPosition
from venue_protocol.topology import DATA_FEED, ORDER_EXECUTION

log = logging.getLogger(__name__)

_READERS = (ORDER_EXECUTION, DATA_FEED)
"""Routing keys of those who read the events."""

_SNAPSHOT_EVERY = 200_000
"""Commands between snapshots, at least: well under two seconds of replay."""
_SNAPSHOT_COST = 4
"""Commands between snapshots for each open order, at least: a snapshot walks over all of them."""


class MatchingDesk:
    """The live engine of one shard, and what it publishes.

    `lock` guards the engine against readers of the book.
    """

    def __init__(
        self,
        shard: int,
        publisher: Publisher,
        recent: RecentEvents,
        snapshots: Snapshots,
        log_reader: LogReader,
        bounds: MessageBounds = BOUNDS,
    ) -> None:
        self.engine = MatchingEngine(shard)
        self.lock = threading.Lock()
        self._publisher = publisher
        self._recent = recent
        self._snapshots = snapshots
        self._log_reader = log_reader
        self._bounds = bounds
        self._snapshot_at = 0
        self._is_whole = True

    def recover(self) -> None:
        """Load the newest snapshot and replay what the log has after it, publishing nothing.

        Readers that miss some of these events notice it from the announced position and ask.
        """
        engine = load_engine(self.engine.shard, self._snapshots, self._log_reader)
        with self.lock:
            self.engine = engine
        self._plan_snapshot()
        before = engine.log_position
        for batch in self._log_reader.batches(before):
            self._apply(batch)
        # Told already when it happened.
        engine.news.clear()
        replayed = engine.log_position - before
        log.info("recovered", extra={"sequence": engine.log_position, "commands": replayed})

    def command_batch(self, batch: CommandBatch) -> list[Confirmation]:
        """Match a batch, after what the log has before it; confirmations of what was published, []
        if it is known.
        """
        position = self.engine.log_position
        if batch.last <= position:
            metrics.messages_duplicate.labels(streams.order_log(batch.shard)).inc()
            return []
        if batch.first > position + 1:
            metrics.gaps_noticed.labels(streams.order_log(batch.shard)).inc()
            log.warning(
                "gap in the commands, reading the log",
                extra={"sequence": position, "first": batch.first},
            )
            return self.catch_up()
        if batch.first <= position:
            raise BrokenInvariant(
                f"batch {batch.first} to {batch.last} overlaps position {position}"
            )
        return self._publish(batch)

    def catch_up(self) -> list[Confirmation]:
        """Match everything that the log has after our position."""
        confirmations: list[Confirmation] = []
        for batch in self._log_reader.batches(self.engine.log_position):
            confirmations = self._publish(batch)
        return confirmations

    def is_behind(self) -> bool:
        """Whether the log has commands that have not come to us."""
        return self._log_reader.head() > self.engine.log_position

    def announce(self) -> None:
        """Say how far the events have come, to each of their readers."""
        stream = streams.events(self.engine.shard)
        body = codec.encode(StreamPosition(codec.SCHEMA, stream, self.engine.event_position))
        for routing_key in _READERS:
            self._publisher.publish(routing_key, body)

    def save_snapshot(self) -> None:
        """Write a snapshot now; not of an engine that broke in the midst of a batch."""
        with self.lock:
            if self._is_whole:
                self._snapshots.save(self.engine)
        self._plan_snapshot()

    def _plan_snapshot(self) -> None:
        pause = max(_SNAPSHOT_EVERY, _SNAPSHOT_COST * len(self.engine.orders))
        self._snapshot_at = self.engine.log_position + pause

    def _publish(self, batch: CommandBatch) -> list[Confirmation]:
        parts = self._apply(batch)
        if self.engine.news:
            self._log_news(batch)
        return [
            confirmation
            for part in parts
            for confirmation in self._publisher.publish_to_all(_READERS, part.body)
        ]

    def _log_news(self, batch: CommandBatch) -> None:
        """One line for each change of a whole security, and who commanded it: nobody, if it ended
        by itself.
        """
        by = {
            command.security_id: command.client_id or "schedule"
            for command in batch.commands
            if isinstance(command, SetPhase | SetVolatilityBands | ApplyCorporateAction)
        }
        for event in self.engine.news:
            client_id = by.get(event.security_id, by.get(None))
            fields = {"sequence": batch.last, "security": event.security_id, "by": client_id}
            if isinstance(event, PhaseChanged):
                fields |= {"phase": event.phase, "reason": event.reason, "until_us": event.until_us}
                log.info("phase changed", extra=fields)
            elif isinstance(event, CorporateActionApplied):
                fields |= {"action": codec.encode(event.action).decode()}
                log.info("corporate action applied", extra=fields)
            else:
                fields |= {"side": event.side, "low_e4": event.band_low_e4}
                log.info("limit state changed", extra=fields | {"high_e4": event.band_high_e4})
        self.engine.news.clear()

    def _apply(self, batch: CommandBatch) -> list[EventPart]:
        """The messages that tell what the batch did, which are remembered for resends."""
        with self.lock:
            self._is_whole = False
            events = self.engine.apply(batch)
            self._is_whole = True
        parts = list(event_parts(events, self._bounds))
        for part in parts:
            self._recent.add(part)
        metrics.batch_size.labels("match").observe(len(batch.commands))
        metrics.position.labels(streams.order_log(batch.shard)).set(batch.last)
        if batch.last >= self._snapshot_at:
            self.save_snapshot()
        return parts


def load_engine(shard: int, snapshots: Snapshots, log_reader: LogReader) -> MatchingEngine:
    """The engine of the newest snapshot that belongs to this log, else an empty one."""
    while (engine := snapshots.load()) is not None:
        if engine.log_position == 0 or log_reader.time_of(engine.log_position) == engine.time_us:
            return engine
        log.warning(
            "snapshot belongs to another log, discarded", extra={"sequence": engine.log_position}
        )
        snapshots.discard(engine)
    return MatchingEngine(shard)
