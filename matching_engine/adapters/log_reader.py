"""The order log as command batches, cut exactly as they were committed and published."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from service_runtime.database import Database
from venue_protocol import codec
from venue_protocol.commands import CommandBatch

_PAGE = 10_000
"""Rows of one query; more than the largest commit, so that a page holds at least one whole
batch.
"""


class LogReader:
    """Reads one shard's order log. Raises DatabaseUnavailable while the database is away."""

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._shard = shard

    def head(self) -> int:
        """Sequence of the newest command; 0 for an empty log."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT last_sequence FROM order_log_heads WHERE shard = %s", (self._shard,)
            )
            row = cursor.fetchone()
        return row[0] if row else 0

    def time_of(self, sequence: int) -> int | None:
        """Commit time of the command with this sequence, microseconds; None if there is none."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT time_us FROM order_log WHERE shard = %s AND sequence = %s",
                (self._shard, sequence),
            )
            row = cursor.fetchone()
        return row[0] if row else None

    def batches(self, after: int) -> Iterator[CommandBatch]:
        """Every batch after the command `after`, in order, up to the head of the log."""
        while page := self._page(after):
            yield from page
            after = page[-1].last

    def rows(self, after: int, limit: int) -> list[tuple[int, int, str]]:
        """Sequence, time and text of at most `limit` commands after the command `after`, in
        order.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT sequence, time_us, command FROM order_log WHERE shard = %s AND sequence > "
                "%s"
                " ORDER BY sequence LIMIT %s",
                (self._shard, after, limit),
            )
            return list(cursor.fetchall())

    def _page(self, after: int) -> list[CommandBatch]:
        rows = self.rows(after, _PAGE)
        batches = []
        for time_us, group in groupby(rows, key=itemgetter(1)):
            found = list(group)
            commands = [codec.decode_command(text) for _, _, text in found]
            batches.append(CommandBatch(codec.SCHEMA, self._shard, found[0][0], time_us, commands))
        if len(rows) == _PAGE:
            # The last batch may go on in the next page: it is read again, whole.
            batches.pop()
        return batches
