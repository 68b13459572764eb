"""The database's clock, and how far the log's time is."""

from service_runtime.database import Database


class PostgresTime:
    """ReferenceTime on a connection of its own: what is slow must not make a clock look wrong."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def database_us(self) -> int:
        """Postgres' clock now."""
        return self._one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")

    def newest_log_us(self) -> int:
        """The newest time in any shard's log; 0 for an empty one."""
        return self._one("SELECT coalesce(max(last_time_us), 0) FROM order_log_heads")

    def _one(self, statement: str) -> int:
        with self._clearing.transaction() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0])
