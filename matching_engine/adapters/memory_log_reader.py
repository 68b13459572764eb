"""The order log in memory, for tests and simulation."""

from matching_engine.ports import LogLine, LogReader
from venue_storage.memory_clearing_data import MemoryClearing


class MemoryLogReader(LogReader):
    """Reads one shard's log of a MemoryClearing."""

    def __init__(self, clearing: MemoryClearing, shard: int) -> None:
        self._clearing = clearing
        self.shard = shard

    def head(self) -> int:
        """Sequence of the newest command."""
        with self._clearing.transaction() as transaction:
            return transaction.tables.log_heads[self.shard][0]

    def time_of(self, sequence: int) -> int | None:
        """Commit time of a command."""
        with self._clearing.transaction() as transaction:
            row = transaction.tables.log.get((self.shard, sequence))
        return row.time_us if row else None

    def rows(self, after: int, limit: int) -> list[LogLine]:
        """At most `limit` commands after the command `after`, in order."""
        with self._clearing.transaction() as transaction:
            log = transaction.tables.log
            last = min(after + limit, transaction.tables.log_heads[self.shard][0])
            found = [log[self.shard, sequence] for sequence in range(after + 1, last + 1)]
        return [(row.sequence, row.time_us, row.command) for row in found]
