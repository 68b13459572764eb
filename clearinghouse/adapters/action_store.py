"""What corporate actions write beside journals and reports: their own rows, and the listings."""

from collections.abc import Iterable

from clearinghouse.domain.corporate_actions import ActionRecord
from service_runtime.database import Cursor
from venue_protocol import codec
from venue_protocol.invariants import BrokenInvariant


def read_holders(cursor: Cursor, security_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Client and security of every deposit in these securities; locks the settlement head."""
    cursor.execute("SELECT FROM settlement_heads FOR UPDATE")
    cursor.execute(
        "SELECT client_id, security_id FROM securities_deposits WHERE security_id = ANY (%s)",
        (sorted(security_ids),),
    )
    return list(cursor.fetchall())


def write_actions(cursor: Cursor, record: ActionRecord) -> None:
    """Write the rows of the actions that took effect, and change the listings."""
    for step in record.steps:
        cursor.execute(
            "INSERT INTO corporate_actions (action_id, security_id, applied_us, action)"
            " VALUES (%s, %s, %s, %s)",
            (*step[:3], codec.encode(step.action).decode()),
        )
    for change in record.listings:
        cursor.execute(
            "UPDATE securities SET reference_price_e4 = %s, action_id = %s WHERE security_id = %s",
            (change.reference_price_e4, change.action_id, change.security_id),
        )
        if cursor.rowcount != 1:
            raise BrokenInvariant(f"{change.security_id}, which an action changes, is not listed")
