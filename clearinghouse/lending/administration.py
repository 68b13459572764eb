"""What an administrator decides about stock loans: the rules, and who may borrow."""

import msgspec

from clearinghouse.administrative_record import CONSOLE, ActionRecord
from clearinghouse.domain.stock_loans import MarginRules
from clearinghouse.domain.venue_accounts import VENUE_ACCOUNTS
from clearinghouse.ports import LedgerStore
from service_runtime.clock import Clock
from venue_protocol.refusals import RejectReason, refuse, unknown_client
from venue_protocol.securities import BASIS_POINTS

MOST_RATE_BPS = 100_000
"""Ten times the value: more than any margin asks for."""
MOST_FEE_BPS = 10_000
"""The whole value in a day."""
MOST_CALL_US = 7 * 86_400_000_000
"""A week."""


class LoanAdministration:
    """Changes to the rules. Refusals are raised as `Refused`."""

    def __init__(self, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._record = ActionRecord(clock)

    def rules(self) -> MarginRules:
        """The rules of now."""
        with self._store.transaction() as transaction:
            return transaction.loans.rules()

    def set_rules(self, changes: dict[str, int | bool], by: str = CONSOLE) -> MarginRules:
        """Change these fields of the rules; the rules after it.

        They hold for all loans from the next margin run on.
        """
        with self._record.transaction(self._store) as (transaction, record):
            rules = msgspec.structs.replace(transaction.loans.rules(), **changes)
            _check(rules)
            transaction.loans.set_rules(rules)
            record("set_margin_rules", by, details=msgspec.structs.asdict(rules))
        return rules

    def allow(self, client_id: str, is_allowed: bool | None, by: str = CONSOLE) -> None:
        """Let a client borrow, or not; None: as the rules say for everybody."""
        with self._record.transaction(self._store) as (transaction, record):
            known = transaction.lock_client(client_id)
            if known is None:
                raise unknown_client(client_id)
            if client_id in VENUE_ACCOUNTS:
                raise refuse(
                    RejectReason.INVALID_FIELD,
                    f"{client_id} is an account of the venue itself: it does not borrow",
                    "client_id",
                )
            transaction.loans.set_may_borrow(client_id, is_allowed)
            details = {"is_allowed": is_allowed}
            record("allow_short_selling", by, client_id=client_id, details=details)


def _check(rules: MarginRules) -> None:
    faults = (
        (
            "maintenance_bps",
            BASIS_POINTS <= rules.maintenance_bps <= MOST_RATE_BPS,
            f"maintenance_bps is from {BASIS_POINTS} to {MOST_RATE_BPS}",
        ),
        (
            "initial_bps",
            rules.maintenance_bps <= rules.initial_bps <= MOST_RATE_BPS,
            f"initial_bps is from maintenance_bps to {MOST_RATE_BPS}",
        ),
        ("fee_bps", 0 <= rules.fee_bps <= MOST_FEE_BPS, f"fee_bps is from 0 to {MOST_FEE_BPS}"),
        (
            "call_ms",
            0 <= rules.call_us <= MOST_CALL_US,
            f"call_ms is from 0 to {MOST_CALL_US // 1000}",
        ),
        (
            "pool_bps",
            1 <= rules.pool_bps <= BASIS_POINTS,
            f"pool_bps is from 1 to {BASIS_POINTS}",
        ),
    )
    for field, holds, message in faults:
        if not holds:
            raise refuse(RejectReason.INVALID_FIELD, message, field)
