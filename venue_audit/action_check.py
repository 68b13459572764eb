"""Compares the rows of corporate actions, and the listings that they changed, with the log."""

from collections.abc import Iterable, Sequence

from clearinghouse.domain.corporate_actions import ActionRecord
from clearinghouse.domain.settlement import Settlement
from venue_audit.differences import LOG, Differences, Value
from venue_audit.settlement_order import Told
from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.identifiers import shard_and_number

_STEPS = """
SELECT action_id, step, security_id, time_us, action, as_of_report FROM corporate_actions
"""
_ENTITLEMENTS = "SELECT action_id, client_id, shares, cash_e4 FROM dividend_entitlements"
_LISTINGS = """
SELECT security_id, reference_price_e4, action_id, delisted_us, successor FROM securities
"""
Row = tuple[Value, ...]


class ActionCheck:
    """Reads the tables of one snapshot and holds them against what the folded log gives."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        self.actions = 0
        self._stored = clearing.all(_STEPS)
        self._steps: dict[int, list[tuple[int, str]]] = {}
        """Action and step of what moved or entitled, by the newest report before it."""
        for action_id, step, *_, as_of_report in self._stored:
            if step != "declared":
                self._steps.setdefault(as_of_report, []).append((action_id, step))

    def due(self, settlement: Settlement) -> Told | None:
        """The step of an action that comes next; None if a report comes before the next one."""
        steps = self._steps.get(settlement.last_report_sequence)
        if steps is None:
            return None
        done = {(step.action_id, step.step) for step in settlement.actions.steps}
        return next((("action", *step) for step in steps if step not in done), None)

    def against(self, record: ActionRecord) -> None:
        """Compare all rows."""
        steps: list[Row] = [
            (
                *step[:4],
                None if step.action is None else codec.encode(step.action).decode(),
                step.as_of_report,
            )
            for step in record.steps
        ]
        self.actions = len({row[0] for row in self._stored})
        names = ("security_id", "time_us", "action", "as_of_report")
        self._compare("corporate_action", names, _by_key(steps), _by_key(self._stored))
        self._compare(
            "dividend_entitlement",
            ("shares", "cash_e4"),
            _by_key(record.new_entitlements),
            _by_key(self._clearing.all(_ENTITLEMENTS)),
        )
        self._compare_listings(record)

    def _compare(
        self,
        what: str,
        names: tuple[str, ...],
        expected: dict[tuple[int, str], Row],
        stored: dict[tuple[int, str], Row],
    ) -> None:
        for key in sorted(expected.keys() | stored.keys()):
            wanted, found = expected.get(key), stored.get(key)
            subject, sequence = f"{key[0]} {key[1]}", shard_and_number(key[0])[1]
            compare = self._differences.compare
            if wanted is None or found is None:
                said = [None if row is None else str(row) for row in (wanted, found)]
                compare(what, subject, "row", said[0], said[1], LOG, sequence)
                continue
            for name, value, other in zip(names, wanted, found, strict=True):
                compare(what, subject, name, value, other, LOG, sequence)

    def _compare_listings(self, record: ActionRecord) -> None:
        """A listing is what its newest action made of it, or the one before that of its symbol;
        without any its price is its own.
        """
        newest = {change.security_id: change for change in record.listings}
        newest |= {
            change.successor: change._replace(delisted_us=None, successor=None)
            for change in record.listings
            if change.successor is not None and change.successor not in newest
        }
        names = ("reference_price_e4", "action_id", "delisted_us", "successor")
        for security_id, *found in self._clearing.all(_LISTINGS):
            change = newest.get(security_id)
            wanted: Row = (found[0], 0, None, None) if change is None else change[1:]
            sequence = shard_and_number(change.action_id)[1] if change else None
            for name, value, other in zip(names, wanted, found, strict=True):
                self._differences.compare(
                    "security", security_id, name, value, other, LOG, sequence
                )


def _by_key(rows: Iterable[Sequence[Value]]) -> dict[tuple[int, str], Row]:
    return {(int(row[0] or 0), str(row[1])): tuple(row[2:]) for row in rows}
