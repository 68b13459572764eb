"""Due times in memory, for tests and simulation."""

from collections.abc import Sequence

from venue_storage.clearing_rows import CloseOutOrder
from venue_storage.memory_clearing_data import MemoryClearing


class MemoryTimers:
    """The Timers of a MemoryClearing."""

    def __init__(self, clearing: MemoryClearing) -> None:
        self._clearing = clearing

    def due_shards(self, now_us: int) -> Sequence[int]:
        """Shards in which orders are due to expire."""
        with self._clearing.transaction() as transaction:
            transaction.read()
            return sorted(
                {shard for shard, expires_us in transaction.tables.expiries if expires_us <= now_us}
            )

    def due_cancels(self, now_us: int) -> Sequence[tuple[str, str, int]]:
        """Timer, client_id and due_us of each cancel that is due."""
        with self._clearing.transaction() as transaction:
            transaction.read()
            timers = transaction.tables.cancel_timers
            due = [
                (timer, client_id, due_us)
                for timer, (client_id, due_us) in timers.items()
                if due_us <= now_us
            ]
            return sorted(due, key=lambda row: (row[2], row[0]))

    def close_outs(self) -> Sequence[CloseOutOrder]:
        """Orders of the clearinghouse that are not logged yet."""
        with self._clearing.transaction() as transaction:
            transaction.read()
            tables = transaction.tables
            return sorted(
                order
                for order in tables.close_out_orders.values()
                if tables.securities[order.security_id].action_id == order.action_id
            )

    def arm(self, timer: str, client_id: str, due_us: int) -> None:
        """Set a timer, or set it anew."""
        with self._clearing.transaction() as transaction:
            transaction.statement()
            transaction.put(transaction.tables.cancel_timers, timer, (client_id, due_us))

    def disarm(self, timer: str) -> None:
        """Remove a timer, if it is there."""
        with self._clearing.transaction() as transaction:
            transaction.statement()
            transaction.delete(transaction.tables.cancel_timers, timer)

    def keep(self, timers: Sequence[str], due_us: int) -> None:
        """Postpone those of these timers that are there."""
        with self._clearing.transaction() as transaction:
            transaction.statement()
            table = transaction.tables.cancel_timers
            for timer in timers:
                if timer in table:
                    transaction.put(table, timer, (table[timer][0], due_us))
