"""How far log and settlement have come, read from `clearing_data`."""

from service_runtime.database import Database

# A shard whose settlement has not said yet how far it is counts as settled.
_PROGRESS = """
SELECT heads.last_sequence, settled.sequence
FROM order_log_heads AS heads
JOIN stream_positions AS settled ON settled.reader = 'clearinghouse' AND settled.stream = 'order_log.' || heads.shard
ORDER BY heads.last_sequence - settled.sequence DESC LIMIT 1
"""


class SettlementProgress:
    """Reads it when called."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def __call__(self) -> tuple[int, int]:
        """Commands logged, and of them those whose events are settled; of the shard that lags most."""
        with self._clearing.transaction() as cursor:
            cursor.execute(_PROGRESS)
            row = cursor.fetchone()
        return (row[0], row[1]) if row else (0, 0)
