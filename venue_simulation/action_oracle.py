"""Corporate actions beside the oracle: their rows and the listings follow from the log."""

from clearinghouse.domain.corporate_actions import ActionRecord
from venue_simulation.violation import require
from venue_storage.memory_clearing_data import Tables


def compare_actions(record: ActionRecord, tables: Tables) -> None:
    """Violation unless the stored rows are those of the record, which has seen every action."""
    steps = {(step.action_id, step.step): step for step in record.steps}
    require(
        tables.corporate_actions == steps,
        "corporate actions are those of the log",
        (tables.corporate_actions, steps),
    )
    entitled = {(row.action_id, row.client_id): row for row in record.new_entitlements}
    require(
        tables.entitlements == entitled,
        "dividends are owed to holders of the ex-date",
        (tables.entitlements, entitled),
    )
    for change in {change.security_id: change for change in record.listings}.values():
        listed = tables.securities[change.security_id]
        found = (
            listed.security_id,
            listed.reference_price_e4,
            listed.action_id,
            listed.delisted_us,
            listed.successor,
        )
        require(found == tuple(change), "listings follow the log", (found, change))
        require(
            change.successor is None or change.successor in tables.securities,
            "a new symbol is listed",
            change,
        )
