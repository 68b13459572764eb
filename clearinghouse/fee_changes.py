"""Lets `trading_fees` change the schedule here, on record."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearinghouse.administrative_record import ActionRecord
from clearinghouse.ports import LedgerStore
from service_runtime.clock import Clock
from trading_fees.ports import FeeTransaction, Note


class RecordedFeeChanges:
    """The FeeChanges of `trading_fees`."""

    def __init__(self, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._record = ActionRecord(clock)

    @contextmanager
    def transaction(self) -> Iterator[tuple[FeeTransaction, Note]]:
        """A transaction, and its note-taker."""
        with self._record.transaction(self._store) as (transaction, record):
            yield transaction, record
