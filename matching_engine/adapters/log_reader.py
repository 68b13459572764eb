"""The order log in Postgres."""

from matching_engine.ports import LogLine, LogReader
from service_runtime.database import Database


class PostgresLogReader(LogReader):
    """Reads one shard's order log. Raises DatabaseUnavailable while the database is away."""

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self.shard = shard

    def head(self) -> int:
        """Sequence of the newest command; 0 for an empty log."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT last_sequence FROM order_log_heads WHERE shard = %s", (self.shard,)
            )
            row = cursor.fetchone()
        return row[0] if row else 0

    def time_of(self, sequence: int) -> int | None:
        """Commit time of the command with this sequence, microseconds; None if there is none."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT time_us FROM order_log WHERE shard = %s AND sequence = %s",
                (self.shard, sequence),
            )
            row = cursor.fetchone()
        return row[0] if row else None

    def rows(self, after: int, limit: int) -> list[LogLine]:
        """At most `limit` commands after the command `after`, in order."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT sequence, time_us, command FROM order_log"
                " WHERE shard = %s AND sequence > %s ORDER BY sequence LIMIT %s",
                (self.shard, after, limit),
            )
            return list(cursor.fetchall())
