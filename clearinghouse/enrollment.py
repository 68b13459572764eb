"""Lets `client_enrollment` make accounts here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from clearinghouse.administration import Administration
from clearinghouse.administrative_record import ActionRecord
from clearinghouse.ports import LedgerStore
from client_enrollment.ports import JoinCodes, Note
from service_runtime.clock import Clock
from venue_protocol.roles import TRADER

JOINING = "join code"
"""The administrator in the record of who joined with a code."""


class EnrolledAccounts:
    """The Accounts of `client_enrollment`."""

    def __init__(self, administration: Administration, store: LedgerStore, clock: Clock) -> None:
        self._administration = administration
        self._store = store
        self._record = ActionRecord(clock)

    @contextmanager
    def change(self, by: str) -> Iterator[tuple[JoinCodes, Note]]:
        """A transaction in which `by` changes codes."""
        with self._record.transaction(self._store) as (transaction, record):

            def note(action: str, details: Mapping[str, object]) -> None:
                record(action, by, details=details)

            yield transaction.join_codes, note

    def create_trader(self, client_id: str, admit: Callable[[JoinCodes], dict[str, object]]) -> str:
        """The key of a new trader, in one transaction with `admit`."""
        return self._administration.create_client(
            client_id, TRADER, by=JOINING, admit=lambda transaction: admit(transaction.join_codes)
        )
