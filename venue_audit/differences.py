"""What an audit found: where stored and derived values part, each named, with both values."""

from collections.abc import Iterator

import msgspec

from venue_protocol.money import format_e4

LOG = "order log"
EVENTS = "event"
REPORTS = "settlement report"
JOURNALS = "journal"
CYCLES = "settlement cycle"
ACTIONS = "administrative action"

MOST_KEPT = 1_000
"""Differences kept with their values; further ones are only counted, so memory is bounded."""

Value = int | str | bool | None


class Difference(msgspec.Struct):
    """One value that is not what it must be."""

    what: str
    """What kind of thing: account, deposit, order, trade, client, ..."""
    subject: str
    """Which one."""
    field: str
    expected: Value
    """What the proof derives; None when there must be nothing."""
    found: Value
    """What is stored; None when nothing is."""
    stream: str | None
    """What `sequence` counts: order log, event, settlement report, journal or action."""
    sequence: int | None
    """The first number at which they part."""
    later: int = 0
    """How many later things of the same owner differ in the same field."""

    def __str__(self) -> str:
        text = f"{self.what} {self.subject}: {self.field} must be {self._said(self.expected)}, "
        text += f"found {self._said(self.found)}"
        if self.sequence is not None:
            text += f" (first at {self.stream} {self.sequence})"
        return text + (f", and {self.later} later" if self.later else "")

    def _said(self, value: Value) -> str:
        if value is None:
            return "nothing"
        if isinstance(value, int) and not isinstance(value, bool) and "_e4" in self.field:
            return f"${format_e4(value)}"
        return str(value)


class Differences:
    """All that was found, in the order found.

    The same field of the same owner's later things is only counted.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Difference] = {}
        self.count = 0

    def __iter__(self) -> Iterator[Difference]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return self.count

    @property
    def unnamed(self) -> int:
        """How many were found after `MOST_KEPT` others and are only counted."""
        return self.count - sum(1 + difference.later for difference in self)

    def compare(
        self,
        what: str,
        subject: str,
        field: str,
        expected: Value,
        found: Value,
        stream: str | None = None,
        sequence: int | None = None,
        owner: str | None = None,
    ) -> bool:
        """Note a difference if there is one; whether the two are equal.

        Later ones of this field and `owner` (default: the subject) are only counted.
        """
        if expected == found:
            return True
        self.count += 1
        key = (what, owner or subject, field)
        known = self._kept.get(key)
        if known is not None:
            known.later += 1
        elif len(self._kept) < MOST_KEPT:
            self._kept[key] = Difference(what, subject, field, expected, found, stream, sequence)
        return False

    def first_sequence(self, what: str, owner: str) -> int | None:
        """The first sequence at which something of this kind and owner parts, or None."""
        found = [
            difference.sequence
            for (kind, whose, _), difference in self._kept.items()
            if (kind, whose) == (what, owner) and difference.sequence is not None
        ]
        return min(found, default=None)
