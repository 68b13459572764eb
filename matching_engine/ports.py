"""What the engine needs of the world: the order log, and a place for its snapshots."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from matching_engine.domain.engine import MatchingEngine
from venue_protocol import codec
from venue_protocol.commands import CommandBatch

LogLine = tuple[int, int, str]
"""Sequence, commit time in microseconds, and text of one command."""

PAGE_ROWS = 10_000
"""Rows read at a time: five times the largest commit, so that a page holds a whole batch."""


class LogReader(ABC):
    """One shard's order log. Raises DatabaseUnavailable while the database is away.

    Bodies: `adapters.log_reader`, `adapters.memory_log_reader`.
    """

    shard: int

    @abstractmethod
    def head(self) -> int:
        """Sequence of the newest command; 0 for an empty log."""

    @abstractmethod
    def time_of(self, sequence: int) -> int | None:
        """Commit time of the command with this sequence, microseconds; None if there is none."""

    @abstractmethod
    def rows(self, after: int, limit: int) -> list[LogLine]:
        """At most `limit` commands after the command `after`, in order."""

    def batches(self, after: int) -> Iterator[CommandBatch]:
        """Every batch after the command `after`, in order, up to the head of the log: cut exactly
        as they were committed.

        Commits of a shard have strictly rising times, so rows of one time are one batch. Example:
        the rows (5, 100), (6, 100), (7, 101) are the batches 5 to 6 and 7 to 7.
        """
        while page := self._page(after):
            yield from page
            after = page[-1].last

    def _page(self, after: int) -> list[CommandBatch]:
        rows = self.rows(after, PAGE_ROWS)
        batches = []
        for time_us, group in groupby(rows, key=itemgetter(1)):
            lines = list(group)
            commands = [codec.decode_command(text) for _, _, text in lines]
            batches.append(CommandBatch(codec.SCHEMA, self.shard, lines[0][0], time_us, commands))
        if len(rows) == PAGE_ROWS:
            # The last batch may go on in the next page: it is read again, whole.
            batches.pop()
        return batches


class Snapshots(Protocol):
    """Snapshots of one shard's engine: a cache that makes a restart short.

    Bodies: `adapters.snapshots.SnapshotFolder`, and the simulation's in memory.
    """

    def save(self, engine: MatchingEngine) -> None:
        """Keep the engine's state, and forget the oldest; a failure is only a warning."""
        ...

    def load(self, events_at_most: int | None = None) -> MatchingEngine | None:
        """The newest snapshot, or the newest whose events go no further than given; None without
        one.
        """
        ...

    def discard(self, engine: MatchingEngine) -> None:
        """Forget the snapshot this engine was read from: it belongs to another log."""
        ...
