"""What is open and what cycles settled, as the lists show it: one page each."""

from service_runtime.database import Database
from venue_protocol.obligations import CycleRow, ObligationRow

FIRST = (-1, 0, "", "")
"""Before all obligations: shard, cycle, client and security of the row before the page."""
NEWEST = ((1 << 63) - 1, 0, 0)
"""Behind all cycles: time, shard and number."""


class ObligationReader:
    """The queries, each a transaction of its own, of one row more than a page has."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def obligations(
        self, client_id: str | None, after: tuple[int, int, str, str], limit: int
    ) -> list[ObligationRow]:
        """Open obligations (of one client) behind the cursor, by shard, cycle, client, security."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(ObligationRow._fields)} FROM net_obligations"
                ' WHERE (shard, cycle, client_id COLLATE "C", security_id COLLATE "C") > %s'
                " AND (%s::text IS NULL OR client_id = %s) ORDER BY shard, cycle,"
                ' client_id COLLATE "C", security_id COLLATE "C" LIMIT %s',
                (after, client_id, client_id, limit + 1),
            )
            return [ObligationRow(*row) for row in cursor]

    def cycles(self, before: tuple[int, ...], limit: int) -> list[CycleRow]:
        """Cycles that settled, newest first, from behind the cursor."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(CycleRow._fields)} FROM settlement_cycles"
                " WHERE (time_us, shard, number) < %s"
                " ORDER BY time_us DESC, shard DESC, number DESC LIMIT %s",
                (before, limit + 1),
            )
            return [CycleRow(*row) for row in cursor]
