"""The organiser's rescue: suspend a client, let it trade again, replace its keys, set its limit.

Each change, its reason and the administrator who made it are one transaction.
"""

from clearinghouse.administrative_record import CONSOLE, ActionRecord
from clearinghouse.domain.venue_accounts import WITHOUT_KEYS
from clearinghouse.ports import ClientState, LedgerStore, LedgerTransaction
from service_runtime.api_keys import ADMINISTRATOR, key_hash, new_key
from service_runtime.clock import Clock
from venue_protocol.identifiers import is_client_id
from venue_protocol.refusals import RejectReason, refuse, unknown_client
from venue_storage.clearing_rows import Suspension

MOST_ORDERS_PER_SECOND = 1_000_000
"""The largest rate limit: beyond what one gateway takes, so in effect no limit."""

_SECOND_CANCEL_US = 2_000_000
"""An order that a gateway was just taking when its client was suspended may still enter the book:
gateways remember for one second what they know of a key. A second cancel follows after that.
"""


MOST_REASON = 200
"""Characters of the reason for a suspension: a sentence that fits into a log line."""


class ClientAdministration:
    """Changes to clients that exist. Refusals are raised as `Refused`."""

    def __init__(self, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._record = ActionRecord(clock)

    def suspend(self, client_id: str, reason: str | None = None, by: str = CONSOLE) -> Suspension:
        """Refuse the client's orders from now on and cancel those that are open; its keys still
        read. A client that is suspended already keeps its time and its first reason.

        Refused for the last administrator: somebody must be left who may take it back.
        """
        if reason is not None and not (reason.isprintable() and len(reason) <= MOST_REASON):
            raise refuse(
                RejectReason.INVALID_FIELD,
                f"reason has at most {MOST_REASON} characters, all of them printable",
                "reason",
            )
        with self._record.transaction(self._store) as (transaction, record):
            known, is_last = self._lock_with_administrators(transaction, client_id)
            if known.suspension is not None:
                return known.suspension
            _refuse_last(client_id, is_last)
            suspension = Suspension(self._clock.now_us(), reason)
            transaction.set_suspension(client_id, suspension)
            for timer, after_us in _cancel_timers(client_id).items():
                transaction.set_cancel_timer(timer, client_id, suspension.since_us + after_us)
            record("suspend", by, client_id=client_id, reason=reason)
        return suspension

    def resume(self, client_id: str, by: str = CONSOLE) -> bool:
        """Take the client's orders again; whether it was suspended."""
        with self._record.transaction(self._store) as (transaction, record):
            if self._lock(transaction, client_id).suspension is None:
                return False
            transaction.set_suspension(client_id, None)
            for timer in _cancel_timers(client_id):
                transaction.remove_cancel_timer(timer)
            record("resume", by, client_id=client_id)
        return True

    def set_rate_limit(
        self, client_id: str, rate_limit_per_second: int | None, by: str = CONSOLE
    ) -> None:
        """Give a client a rate limit of its own, in orders per second; None: the usual one."""
        if rate_limit_per_second is not None:
            check_rate_limit(rate_limit_per_second)
        with self._record.transaction(self._store) as (transaction, record):
            before = self._lock(transaction, client_id).rate_limit_per_second
            transaction.set_rate_limit(client_id, rate_limit_per_second)
            details = {"before": before, "after": rate_limit_per_second}
            record("set_rate_limit", by, client_id=client_id, details=details)

    def add_key(self, client_id: str, by: str = CONSOLE) -> str:
        """Another API key for a client; returned once."""
        key = new_key()
        with self._record.transaction(self._store) as (transaction, record):
            self._lock(transaction, client_id)
            transaction.add_key(key_hash(key), client_id, self._clock.now_us())
            record("add_key", by, client_id=client_id)
        return key

    def revoke_keys(self, client_id: str, by: str = CONSOLE) -> int:
        """Revoke all keys of a client; the number revoked.

        Refused for the last administrator: nobody could give it another key.
        """
        with self._record.transaction(self._store) as (transaction, record):
            _, is_last = self._lock_with_administrators(transaction, client_id)
            _refuse_last(client_id, is_last)
            revoked = transaction.revoke_keys(client_id, self._clock.now_us())
            record("revoke_keys", by, client_id=client_id, details={"revoked": revoked})
        return revoked

    def rotate_keys(self, client_id: str, by: str = CONSOLE) -> str:
        """One new API key instead of all that the client has; returned once."""
        key = new_key()
        with self._record.transaction(self._store) as (transaction, record):
            self._lock(transaction, client_id)
            now_us = self._clock.now_us()
            revoked = transaction.revoke_keys(client_id, now_us)
            transaction.add_key(key_hash(key), client_id, now_us)
            record("rotate_keys", by, client_id=client_id, details={"revoked": revoked})
        return key

    def _lock(self, transaction: LedgerTransaction, client_id: str) -> ClientState:
        known = transaction.lock_client(client_id) if is_client_id(client_id) else None
        if known is None:
            raise unknown_client(client_id)
        if client_id in WITHOUT_KEYS:
            raise refuse(
                RejectReason.INVALID_FIELD,
                f"{client_id} is an account of the venue itself: it has no keys and sends nothing",
                "client_id",
            )
        return known

    def _lock_with_administrators(
        self, transaction: LedgerTransaction, client_id: str
    ) -> tuple[ClientState, bool]:
        """The client, and whether it is the last administrator.

        All administrators are locked before the client, in one order: two that are ended at the
        same time wait for each other, instead of both for ever.
        """
        has_other = is_client_id(client_id) and transaction.has_other_administrator(client_id)
        known = self._lock(transaction, client_id)
        return known, known.role == ADMINISTRATOR and not has_other


def _refuse_last(client_id: str, is_last: bool) -> None:
    if is_last:
        raise refuse(
            RejectReason.LAST_ADMINISTRATOR,
            f"{client_id} is the last administrator with a key that is not suspended: make"
            " another one first (a key alone can be replaced)",
            "client_id",
        )


def check_rate_limit(rate_limit_per_second: int) -> None:
    """Refuse a rate limit that is out of range."""
    if not 1 <= rate_limit_per_second <= MOST_ORDERS_PER_SECOND:
        raise refuse(
            RejectReason.INVALID_FIELD,
            f"rate_limit_per_second is from 1 to {MOST_ORDERS_PER_SECOND}",
            "rate_limit_per_second",
        )


def _cancel_timers(client_id: str) -> dict[str, int]:
    """When the orders of a suspended client are canceled: microseconds after it, by timer."""
    return {
        f"suspension:{client_id}": 0,
        f"suspension:{client_id}:again": _SECOND_CANCEL_US,
    }
