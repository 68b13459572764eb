"""What corporate actions write beside journals and reports: their own rows, and the listings."""

from collections.abc import Iterable

from clearinghouse.domain.corporate_actions import ActionRecord, Entitlement, ListingChange
from service_runtime.database import Cursor
from venue_protocol import codec
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.securities import Security

_HEAD = "SELECT FROM settlement_heads FOR UPDATE"
_STEP = """
INSERT INTO corporate_actions (action_id, step, security_id, time_us, action, as_of_report)
VALUES (%s, %s, %s, %s, %s, %s)
"""
_CHANGE = """
UPDATE securities SET reference_price_e4 = %s, action_id = %s, delisted_us = %s, successor = %s
WHERE security_id = %s
"""
_ALIKE = ", ".join(
    name
    for name in Security.__struct_fields__
    if name not in ("security_id", "delisted_us", "successor")
)
_SUCCEED = f"""
INSERT INTO securities (security_id, {_ALIKE})
SELECT %s, {_ALIKE} FROM securities WHERE security_id = %s
"""


class ActionReads:
    """What a transaction asks about corporate actions."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def holders(self, security_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Client and security of every deposit in these securities; locks the settlement head."""
        self._cursor.execute(_HEAD)
        self._cursor.execute(
            "SELECT client_id, security_id FROM securities_deposits WHERE security_id = ANY (%s)",
            (sorted(security_ids),),
        )
        return list(self._cursor.fetchall())

    def entitlements(self, action_id: int) -> list[Entitlement]:
        """Who gets a dividend that went ex in an earlier transaction; locks the settlement head."""
        self._cursor.execute(_HEAD)
        self._cursor.execute(
            f"SELECT {', '.join(Entitlement._fields)} FROM dividend_entitlements"
            " WHERE action_id = %s",
            (action_id,),
        )
        return [Entitlement(*row) for row in self._cursor]


def write_actions(cursor: Cursor, record: ActionRecord) -> None:
    """Write the rows of the actions, and change the listings; before deposits, which name them."""
    for change in record.listings:
        _write_listing(cursor, change)
    for step in record.steps:
        action = None if step.action is None else codec.encode(step.action).decode()
        cursor.execute(_STEP, (*step[:4], action, step.as_of_report))
    if record.new_entitlements:
        cursor.execute(
            f"INSERT INTO dividend_entitlements ({', '.join(Entitlement._fields)})"
            " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[])",
            [list(column) for column in zip(*record.new_entitlements, strict=True)],
        )


def _write_listing(cursor: Cursor, change: ListingChange) -> None:
    cursor.execute(
        _CHANGE,
        (
            change.reference_price_e4,
            change.action_id,
            change.delisted_us,
            change.successor,
            change.security_id,
        ),
    )
    if cursor.rowcount != 1:
        raise BrokenInvariant(f"{change.security_id}, which an action changes, is not listed")
    if change.successor is not None:
        cursor.execute(_SUCCEED, (change.successor, change.security_id))
