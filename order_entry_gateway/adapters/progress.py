"""Reads from both databases how far log, settlement and record have come."""

from service_runtime.database import Database

# A shard without a position of settlement counts as settled.
_SETTLEMENT = """
SELECT coalesce(sum(heads.last_sequence), 0)::bigint, coalesce(sum(settled.sequence), 0)::bigint
FROM order_log_heads AS heads
JOIN stream_positions AS settled
  ON settled.reader = 'clearinghouse' AND settled.stream = 'order_log.' || heads.shard
"""

_SETTLED_EVENTS = """
SELECT stream, sequence FROM stream_positions
WHERE reader = 'clearinghouse' AND stream LIKE 'events.%'
"""

_RECORDED_EVENTS = "SELECT stream, sequence FROM stream_positions WHERE stream LIKE 'events.%'"


class SettlementProgress:
    """How far settlement has followed the log, read at each call."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def __call__(self) -> tuple[int, int]:
        """Commands logged, and of them those whose events are settled."""
        with self._clearing.transaction() as cursor:
            cursor.execute(_SETTLEMENT)
            logged, settled = cursor.fetchone() or (0, 0)
        return logged, settled


class RecordProgress:
    """How far the record has followed settlement, read at each call."""

    def __init__(self, clearing: Database, market: Database) -> None:
        self._clearing = clearing
        self._market = market

    def __call__(self) -> tuple[int, int]:
        """Events settled, and of them those recorded."""
        # The record is read first, so that what is recorded in between never gives a negative lag.
        recorded = _positions(self._market, _RECORDED_EVENTS)
        settled = _positions(self._clearing, _SETTLED_EVENTS)
        return sum(settled.values()), sum(
            min(there_is, recorded.get(stream, 0)) for stream, there_is in settled.items()
        )


def _positions(database: Database, statement: str) -> dict[str, int]:
    with database.transaction() as cursor:
        cursor.execute(statement)
        return dict(cursor.fetchall())
