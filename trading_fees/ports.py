"""What the fee schedule asks of the clearinghouse and of its store.

Bodies of FeeTable: `postgres_table` and `memory_table`; tests/contract/test_fee_table.py runs on
both.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from venue_protocol.fee_schedule import FeeRow, FeeSchedule


class FeeTable(Protocol):
    """The fee schedule, inside a transaction."""

    def lock(self) -> FeeSchedule:
        """The schedule; nobody else changes it before the transaction ends. Gateways read on."""
        ...

    def read(self) -> FeeSchedule:
        """The schedule."""
        ...

    def put(self, row: FeeRow) -> None:
        """Insert or replace a row."""
        ...

    def remove(self, security_id: str, tier: str) -> None:
        """Remove a row, if it is there."""
        ...

    def set_tier(self, client_id: str, tier: str) -> None:
        """Put a client into a tier."""
        ...


class FeeTransaction(Protocol):
    """A transaction of the clearinghouse, as far as fees need it."""

    def fee_table(self) -> FeeTable:
        """The fee schedule."""
        ...

    def has_client(self, client_id: str) -> bool:
        """Whether there is such a client."""
        ...

    def lot_size(self, security_id: str) -> int | None:
        """Shares of the smallest order in a security; None if it is not listed."""
        ...


class Note(Protocol):
    """Writes an action of an administrator into the record."""

    def __call__(
        self,
        action: str,
        by: str,
        *,
        client_id: str | None = None,
        security_id: str | None = None,
        details: Mapping[str, object] = {},
    ) -> None: ...


class FeeChanges(Protocol):
    """The clearinghouse, as the fee schedule sees it."""

    def transaction(self) -> AbstractContextManager[tuple[FeeTransaction, Note]]:
        """A transaction, and its note-taker."""
        ...
