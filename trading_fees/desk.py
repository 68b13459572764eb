"""What an administrator does to the fee schedule. It concerns orders that are accepted later.

Each change, and who made it, are one transaction.
"""

from trading_fees.ports import FeeChanges, FeeTransaction
from venue_protocol.fee_schedule import ALL_SECURITIES, STANDARD, FeeRow, FeeSchedule, is_tier
from venue_protocol.identifiers import is_client_id, is_security_id
from venue_protocol.refusals import RejectReason, refuse

MOST_ROWS = 10_000
"""Rows of the schedule: each gateway reads them all once a second."""


class FeeDesk:
    """Changes to the schedule. Refusals are raised as `Refused`."""

    def __init__(self, changes: FeeChanges) -> None:
        self._changes = changes

    def schedule(self) -> FeeSchedule:
        """The schedule as it stands."""
        with self._changes.transaction() as (transaction, _):
            return transaction.fee_table().read()

    def set_fees(self, row: FeeRow, by: str) -> None:
        """Insert or replace a row.

        Refused where a rate is out of range, or a rebate would be more than the other side pays.
        """
        security_id, tier = row[:2]
        _require_tier(tier)
        with self._changes.transaction() as (transaction, record):
            _require_security(transaction, security_id)
            fees = transaction.fee_table()
            before = {known[:2]: known for known in fees.lock().rows}
            after = before | {(security_id, tier): row}
            _require_sound(after)
            if len(after) > MOST_ROWS:
                raise refuse(RejectReason.INVALID_FIELD, f"a schedule has {MOST_ROWS} rows at most")
            fees.put(row)
            record(
                "set_fees",
                by,
                security_id=_named(security_id),
                details={"tier": tier, **_told(row)},
            )

    def remove_fees(self, security_id: str, tier: str, by: str) -> bool:
        """Remove a row; whether it was there. What it was for falls back to the next that fits."""
        _require_tier(tier)
        with self._changes.transaction() as (transaction, record):
            fees = transaction.fee_table()
            rows = {known[:2]: known for known in fees.lock().rows}
            if rows.pop((security_id, tier), None) is None:
                return False
            _require_sound(rows)
            fees.remove(security_id, tier)
            record("remove_fees", by, security_id=_named(security_id), details={"tier": tier})
        return True

    def set_tier(self, client_id: str, tier: str, by: str) -> None:
        """Put a client into a tier; `standard` is where it began.

        Refused for a tier that no row is for: it would be a slip of the pen.
        """
        _require_tier(tier)
        with self._changes.transaction() as (transaction, record):
            if not is_client_id(client_id) or not transaction.has_client(client_id):
                raise refuse(
                    RejectReason.UNKNOWN_CLIENT, f"no client {client_id[:64]!r}", "client_id"
                )
            fees = transaction.fee_table()
            schedule = fees.lock()
            if tier not in {STANDARD, *(row.tier for row in schedule.rows)}:
                raise refuse(RejectReason.INVALID_FIELD, f"no fees are set for tier {tier}", "tier")
            fees.set_tier(client_id, tier)
            details = {"before": schedule.tier_of(client_id), "after": tier}
            record("set_fee_tier", by, client_id=client_id, details=details)


def _require_sound(rows: dict[tuple[str, str], FeeRow]) -> None:
    fault = FeeSchedule(rows.values()).fault()
    if fault is not None:
        raise refuse(RejectReason.INVALID_FIELD, fault, "maker_bps")


def _require_tier(tier: str) -> None:
    if not is_tier(tier):
        raise refuse(
            RejectReason.INVALID_FIELD,
            "a tier is 1 to 32 small letters, digits, '_' or '-', the first a letter or digit",
            "tier",
        )


def _require_security(transaction: FeeTransaction, security_id: str) -> None:
    if security_id != ALL_SECURITIES and (
        not is_security_id(security_id) or transaction.lot_size(security_id) is None
    ):
        raise refuse(RejectReason.UNKNOWN_SECURITY, f"no security {security_id[:32]!r}", "security")


def _named(security_id: str) -> str | None:
    return None if security_id == ALL_SECURITIES else security_id


def _told(row: FeeRow) -> dict[str, int]:
    return {
        "maker_bps": row.maker_bps,
        "taker_bps": row.taker_bps,
        "auction_bps": row.auction_bps,
    }
