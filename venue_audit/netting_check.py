"""Compares cycles, open obligations and their volumes with what the log derives."""

from typing import Any

from venue_audit.differences import CYCLES, Differences
from venue_audit.history import History
from venue_audit.snapshot import Snapshot
from venue_protocol.netting_book import NettingBook
from venue_protocol.obligations import CycleRow, DeliveryTerms, ObligationRow, VolumeRow


class NettingCheck:
    """Walks along with the history; cycles as they settle, what is open at the end."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        self._cycles = {row[:2]: row for row in self._rows("settlement_cycles", CycleRow)}
        self.cycles = 0
        self.obligations = 0

    def compare(self, history: History) -> None:
        """Compare the cycles that the history settled since the last call."""
        for cycle in history.settlement.netting.cycles:
            self.cycles += 1
            self._compare("settlement_cycle", 2, cycle, self._cycles.pop(cycle[:2], None))

    def finish(self, history: History) -> None:
        """No other cycle is stored, and what is open is what the log leaves open."""
        for row in self._cycles.values():
            self._compare("settlement_cycle", 2, None, row)
        book: NettingBook = history.settlement.netting
        self._compare_all(
            "net_obligation", 4, book.rows(), self._rows("net_obligations", ObligationRow)
        )
        self._compare_all("net_volume", 3, book.volumes(), self._rows("net_volumes", VolumeRow))
        self._compare_all(
            "delivery_terms", 2, book.terms(), self._rows("delivery_terms", DeliveryTerms)
        )
        self.obligations = len(book.rows())

    def _compare_all(self, what: str, names: int, expected: list[Any], stored: list[Any]) -> None:
        found = {row[:names]: row for row in stored}
        for row in expected:
            self._compare(what, names, row, found.pop(row[:names], None))
        for row in found.values():
            self._compare(what, names, None, row)

    def _compare(self, what: str, names: int, expected: Any, found: Any) -> None:
        """Name each field behind the first `names`, which are the row's key."""
        known = expected or found
        subject = " ".join(map(str, known[:names]))
        cycle = known[1] if isinstance(known[1], int) else None
        values = [("row", _shown(expected, names), _shown(found, names))]
        if expected is not None and found is not None:
            fields = known._fields[names:]
            values = list(zip(fields, expected[names:], found[names:], strict=True))
        for field, value, stored in values:
            self._differences.compare(what, subject, field, value, stored, CYCLES, cycle)

    def _rows(self, table: str, kind: Any) -> list[Any]:
        columns = ", ".join(kind._fields)
        return [kind(*row) for row in self._clearing.all(f"SELECT {columns} FROM {table}")]


def _shown(row: Any, names: int) -> str | None:
    return None if row is None else str(tuple(row[names:]))
