"""The record of what administrators did: a row in the transaction of the change, a line in the log.

The table is append-only: `who` and `why` can be read for ever, beside the journals and the order
log, which say what moved.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from clearinghouse.ports import LedgerStore, LedgerTransaction
from service_runtime.clock import Clock
from venue_storage.clearing_rows import ActionRow

log = logging.getLogger(__name__)

CONSOLE = "console"
"""The administrator in the record where somebody works on the database itself: first state, the
first administrator's key.
"""


class Note(Protocol):
    """Notes one action of the transaction."""

    def __call__(
        self,
        action: str,
        by: str,
        *,
        client_id: str | None = None,
        security_id: str | None = None,
        reason: str | None = None,
        details: Mapping[str, object] = {},
    ) -> None: ...


class ActionRecord:
    """Writes the record."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @contextmanager
    def transaction(self, store: LedgerStore) -> Iterator[tuple[LedgerTransaction, Note]]:
        """A transaction of the store and its note-taker; lines are logged after the commit."""
        noted: list[ActionRow] = []
        with store.transaction() as transaction:
            yield transaction, self.note_taker(transaction, noted)
        log_actions(noted)

    def note_taker(self, transaction: LedgerTransaction, noted: list[ActionRow]) -> Note:
        """What writes an action into the record, and into `noted` for `log_actions`."""

        def note(
            action: str,
            by: str,
            *,
            client_id: str | None = None,
            security_id: str | None = None,
            reason: str | None = None,
            details: Mapping[str, object] = {},
        ) -> None:
            row = ActionRow(
                time_us=self._clock.now_us(),
                administrator=by,
                action=action,
                client_id=client_id,
                security_id=security_id,
                reason=reason,
                details=json.dumps(details),
            )
            transaction.record(row)
            noted.append(row)

        return note


def log_actions(noted: list[ActionRow]) -> None:
    """One line for each action, once it is committed."""
    for row in noted:
        fields = {name: value for name, value in row._asdict().items() if value is not None}
        del fields["time_us"]
        log.info("an administrator changed the venue", extra=fields)
