"""Compares the rows of corporate actions, and the listings that they changed, with the log."""

from clearinghouse.domain.corporate_actions import ActionRecord
from venue_audit.differences import LOG, Differences, Value
from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.identifiers import shard_and_number

_ACTIONS = "SELECT action_id, security_id, applied_us, action FROM corporate_actions ORDER BY 1"
_LISTINGS = "SELECT security_id, reference_price_e4, action_id FROM securities ORDER BY 1"


class ActionCheck:
    """Reads the tables of one snapshot and holds them against what the folded log gives."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        self.actions = 0

    def against(self, record: ActionRecord) -> None:
        """Compare all rows."""
        self._compare_actions(record)
        self._compare_listings(record)

    def _compare_actions(self, record: ActionRecord) -> None:
        expected: dict[int, tuple[Value, ...]] = {
            step.action_id: (*step[1:3], codec.encode(step.action).decode())
            for step in record.steps
        }
        stored = {row[0]: row[1:] for row in self._clearing.all(_ACTIONS)}
        self.actions = len(stored)
        names = ("security_id", "applied_us", "action")
        for action_id in sorted(expected.keys() | stored.keys()):
            wanted, found = expected.get(action_id), stored.get(action_id)
            subject, sequence = str(action_id), shard_and_number(action_id)[1]
            if wanted is None or found is None:
                row = None if found is None else str(found)
                wanted_row = None if wanted is None else str(wanted)
                self._differences.compare(
                    "corporate_action", subject, "row", wanted_row, row, LOG, sequence
                )
                continue
            for name, value, other in zip(names, wanted, found, strict=True):
                self._differences.compare(
                    "corporate_action", subject, name, value, other, LOG, sequence
                )

    def _compare_listings(self, record: ActionRecord) -> None:
        """A listing is what its newest action made of it; without one its price is its own."""
        newest = {change.security_id: change for change in record.listings}
        for security_id, reference_e4, action_id in self._clearing.all(_LISTINGS):
            change = newest.get(security_id)
            sequence = shard_and_number(change.action_id)[1] if change else None
            compare = self._differences.compare
            expected_id = change.action_id if change else 0
            compare("security", security_id, "action_id", expected_id, action_id, LOG, sequence)
            if change is not None:
                compare(
                    "security",
                    security_id,
                    "reference_price_e4",
                    change.reference_price_e4,
                    reference_e4,
                    LOG,
                    sequence,
                )
