"""The fee schedule in memory, for tests and the simulation."""

from venue_protocol.fee_schedule import STANDARD, FeeRow, FeeSchedule
from venue_storage.memory_clearing_data import MemoryTransaction


class MemoryFeeTable:
    """The FeeTable on dicts."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._fees = transaction.tables.fees

    def lock(self) -> FeeSchedule:
        """The schedule; one transaction at a time changes anything at all."""
        self._transaction.statement()
        return self.read()

    def read(self) -> FeeSchedule:
        """The schedule."""
        return self._fees.schedule()

    def put(self, row: FeeRow) -> None:
        """Insert or replace a row."""
        self._transaction.statement()
        self._transaction.put(self._fees.rows, row[:2], row)

    def remove(self, security_id: str, tier: str) -> None:
        """Remove a row, if it is there."""
        self._transaction.statement()
        self._transaction.delete(self._fees.rows, (security_id, tier))

    def set_tier(self, client_id: str, tier: str) -> None:
        """Put a client into a tier."""
        self._transaction.statement()
        if tier == STANDARD:
            self._transaction.delete(self._fees.tiers, client_id)
        else:
            self._transaction.put(self._fees.tiers, client_id, tier)
