"""What has come and is due to be recorded, across all streams."""

from dataclasses import dataclass, field

from venue_protocol import streams
from venue_protocol.events import EventBatch
from venue_protocol.settlement import SettlementBatch, SettlementReport
from venue_protocol.stream_intake import StreamIntake
from venue_protocol.streams import OrderReports


@dataclass(frozen=True)
class Advance:
    """A stream's position before and after a transaction."""

    stream: str
    before: int
    after: int


@dataclass
class Due:
    """What one transaction records."""

    events: list[tuple[EventBatch, int]] = field(default_factory=list)
    """Batches in order, each with the first event sequence in it that is new."""
    settlements: list[SettlementReport] = field(default_factory=list)
    refusals: list[OrderReports] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)

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
        self._due = Due()
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

    def take_due(self) -> Due:
        """What is due; it counts as recorded from here on, so whoever takes it must record it or
        end.
        """
        due, self._due = self._due, Due()
        positions = {
            streams.events(shard): intake.position for shard, intake in self.events.items()
        }
        positions[streams.SETTLEMENTS] = self.settlements.position
        for stream, after in positions.items():
            before = self._recorded.get(stream, 0)
            if after != before:
                due.advances.append(Advance(stream, before, after))
                self._recorded[stream] = after
        return due

    def behind(self) -> list[str]:
        """Names of the streams in which something is known to be missing."""
        # A copy: other threads ask while the recorder meets a new shard.
        names = [
            streams.events(shard)
            for shard, intake in list(self.events.items())
            if intake.is_behind()
        ]
        return names + ([streams.SETTLEMENTS] if self.settlements.is_behind() else [])
