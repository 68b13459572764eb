"""Due times in Postgres."""

from collections.abc import Sequence

from service_runtime.database import Database
from venue_storage.clearing_rows import CloseOutOrder


class PostgresTimers:
    """The Timers of `clearing_data`."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def due_shards(self, now_us: int) -> Sequence[int]:
        """Shards in which orders are due to expire."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT DISTINCT shard FROM order_expiries WHERE expires_us <= %s ORDER BY shard",
                (now_us,),
            )
            return [shard for (shard,) in cursor]

    def due_cancels(self, now_us: int) -> Sequence[tuple[str, str, int]]:
        """Timer, client_id and due_us of each cancel that is due."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT timer, client_id, due_us FROM cancel_timers WHERE due_us <= %s ORDER BY "
                "due_us, timer",
                (now_us,),
            )
            return list(cursor.fetchall())

    def close_outs(self) -> Sequence[CloseOutOrder]:
        """Orders of the clearinghouse that are not logged yet, made for the listing of now."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(CloseOutOrder._fields)} FROM close_out_orders"
                " JOIN securities USING (security_id, action_id)"
                " ORDER BY client_order_id LIMIT 100"
            )
            return [CloseOutOrder(*row) for row in cursor]

    def arm(self, timer: str, client_id: str, due_us: int) -> None:
        """Set a timer, or set it anew."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "INSERT INTO cancel_timers (timer, client_id, due_us) VALUES (%s, %s, %s)"
                " ON CONFLICT (timer) DO UPDATE SET due_us = excluded.due_us",
                (timer, client_id, due_us),
            )

    def disarm(self, timer: str) -> None:
        """Remove a timer, if it is there."""
        with self._clearing.transaction() as cursor:
            cursor.execute("DELETE FROM cancel_timers WHERE timer = %s", (timer,))

    def keep(self, timers: Sequence[str], due_us: int) -> None:
        """Postpone those of these timers that are there."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "UPDATE cancel_timers SET due_us = %s WHERE timer = ANY (%s)",
                (due_us, list(timers)),
            )
