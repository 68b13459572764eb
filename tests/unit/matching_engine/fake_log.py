"""An order log in a list, read through the real reader's grouping and paging."""

from collections.abc import Sequence

from matching_engine.ports import LogReader
from service_runtime.database import DatabaseUnavailable
from venue_protocol import codec
from venue_protocol.commands import Command, CommandBatch


class FakeLog(LogReader):
    """What a gateway would have committed.

    `away` is the number of queries that find no database.
    """

    def __init__(self, shard: int = 0) -> None:
        self.shard = shard
        self._rows: list[tuple[int, int, str]] = []
        self.away = 0

    def commit(self, commands: Sequence[Command]) -> CommandBatch:
        """Append commands as one commit; the batch as a gateway would publish it."""
        first = len(self._rows) + 1
        batch = CommandBatch(codec.SCHEMA, self.shard, first, 1_000_000 + first, list(commands))
        self._rows += [
            (sequence, batch.time_us, codec.encode(command).decode())
            for sequence, command in batch.numbered()
        ]
        return batch

    def head(self) -> int:
        """Sequence of the newest command."""
        self._find_database()
        return len(self._rows)

    def time_of(self, sequence: int) -> int | None:
        """Commit time of a command."""
        self._find_database()
        return self._rows[sequence - 1][1] if sequence <= len(self._rows) else None

    def rows(self, after: int, limit: int) -> list[tuple[int, int, str]]:
        """Commands after `after`."""
        self._find_database()
        return self._rows[after : after + limit]

    def _find_database(self) -> None:
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("the database is away")
