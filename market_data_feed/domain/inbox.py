"""What has come and is due to be recorded, across all streams."""

from dataclasses import dataclass, field

from venue_protocol import streams
from venue_protocol.events import EventBatch
from venue_protocol.settlement import SettlementBatch, SettlementReport
from venue_protocol.stream_intake import StreamIntake
from venue_protocol.streams import OrderReports

MOST_ROWS = 20_000
"""Events, reports and refusals recorded in one transaction: readers of the record wait for it."""


@dataclass(frozen=True)
class PositionAdvance:
    """A stream's position before and after a transaction."""

    stream: str
    before: int
    after: int


@dataclass
class DueRecord:
    """What one transaction records."""

    events: list[tuple[EventBatch, int]] = field(default_factory=list)
    """Batches in order, each with the first event sequence in it that is new."""
    settlements: list[SettlementReport] = field(default_factory=list)
    refusals: list[OrderReports] = field(default_factory=list)
    advances: list[PositionAdvance] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Whether there is nothing to record."""
        return not (self.advances or self.refusals)

    def size(self) -> int:
        """How many events, reports and refusals it holds."""
        events = sum(batch.last - first_new + 1 for batch, first_new in self.events)
        return events + len(self.settlements) + sum(len(batch.reports) for batch in self.refusals)


class Inbox:
    """The intakes of all streams, and what they have passed on since the last record."""

    def __init__(self, positions: dict[str, int]) -> None:
        self._recorded = dict(positions)
        self.settlements: StreamIntake[SettlementBatch] = StreamIntake(
            positions.get(streams.SETTLEMENTS, 0)
        )
        self.events: dict[int, StreamIntake[EventBatch]] = {}
        """By shard."""
        self._due = DueRecord()
        self._refusal_numbers: dict[str, int] = {}
        for stream in positions:
            shard = streams.event_shard(stream)
            if shard is not None:
                self.intake(shard)

    def intake(self, shard: int) -> StreamIntake[EventBatch]:
        """The intake of a shard's events."""
        intake = self.events.get(shard)
        if intake is None:
            intake = self.events[shard] = StreamIntake(self._recorded.get(streams.events(shard), 0))
        return intake

    def take_events(self, batch: EventBatch) -> None:
        """An event batch has come."""
        self._due.events.extend(self.intake(batch.shard).take(batch))

    def take_settlements(self, batch: SettlementBatch) -> None:
        """A settlement batch has come."""
        for passed, first_new in self.settlements.take(batch):
            self._due.settlements.extend(passed.reports[first_new - passed.first :])

    def take_refusals(self, batch: OrderReports) -> bool:
        """Refusals have come; False if some before them are missing, which nobody can send
        again.
        """
        before = self._refusal_numbers.get(batch.gateway_run, 0)
        self._refusal_numbers[batch.gateway_run] = max(before, batch.last)
        self._due.refusals.append(batch)
        return batch.first <= before + 1

    def waiting(self) -> int:
        """How many events, reports and refusals are due."""
        return self._due.size()

    def take_due(self, most: int = MOST_ROWS) -> DueRecord:
        """What is due, at most `most` of it (or one message): the rest is for the next call.

        It counts as recorded from here on, so the caller must record it or end. Example: 30,000
        events that waited behind a gap are recorded as 20,000 and 10,000.
        """
        due = self._take(most)
        positions = {streams.events(batch.shard): batch.last for batch, _ in due.events}
        if due.settlements:
            positions[streams.SETTLEMENTS] = due.settlements[-1].sequence
        for stream, after in positions.items():
            before = self._recorded.get(stream, 0)
            if after != before:
                due.advances.append(PositionAdvance(stream, before, after))
                self._recorded[stream] = after
        return due

    def _take(self, most: int) -> DueRecord:
        waiting, taken = self._due, DueRecord()
        room = most
        for batch, first_new in waiting.events:
            new = batch.last - first_new + 1
            if new > room and taken.events:
                break
            taken.events.append((batch, first_new))
            room -= new
        del waiting.events[: len(taken.events)]
        if not waiting.events:
            # What comes before in the list goes first: nothing overtakes the events.
            taken.settlements = waiting.settlements[: max(room, 0)]
            del waiting.settlements[: len(taken.settlements)]
            if not waiting.settlements:
                taken.refusals, waiting.refusals = waiting.refusals, []
        return taken

    def behind(self) -> list[str]:
        """Names of the streams in which something is known to be missing."""
        # A copy: other threads ask while the recorder meets a new shard.
        names = [
            streams.events(shard)
            for shard, intake in list(self.events.items())
            if intake.is_behind()
        ]
        return names + ([streams.SETTLEMENTS] if self.settlements.is_behind() else [])
