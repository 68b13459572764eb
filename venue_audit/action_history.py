"""When each corporate action took effect, between which settlement reports, for what follows it:
stock loans and their marks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from venue_protocol.corporate_actions import SymbolChange
from venue_protocol.loan_actions import AppliedAction


class SettledAction(NamedTuple):
    """An action as the log gives it."""

    applied: AppliedAction
    reference_e4: int
    """Listed after it."""
    report_before: int
    """Newest settlement report before it took effect."""
    report_after: int
    """Newest settlement report of it; the same where it made none."""


class ActionHistory:
    """The settled actions of each security, under all the symbols that it had."""

    def __init__(
        self,
        settled: Iterable[SettledAction] = (),
        first_references_e4: Mapping[str, int] | None = None,
        paid: Iterable[int] = (),
    ) -> None:
        self._first_symbol: dict[str, str] = {}
        self._of_security: defaultdict[str, list[SettledAction]] = defaultdict(list)
        self._first_references_e4 = first_references_e4 or {}
        self.paid = frozenset(paid)
        """Dividends that the issuer has paid."""
        for known in settled:
            name, action = known.applied.security_id, known.applied.action
            self._of_security[self.first_symbol(name)].append(known)
            if isinstance(action, SymbolChange):
                self._first_symbol[action.new_security_id] = self.first_symbol(name)

    def first_symbol(self, security_id: str) -> str:
        """What a security was listed as at first: all its symbols have the same."""
        return self._first_symbol.get(security_id, security_id)

    def after(self, security_id: str, time_us: int) -> list[AppliedAction]:
        """Actions under this symbol and its successors that took effect later."""
        known = self._of_security[self.first_symbol(security_id)]
        return [each.applied for each in known if each.applied.time_us > time_us]

    def find(self, action_id: int) -> AppliedAction | None:
        """An action by its number."""
        for known in self._of_security.values():
            for each in known:
                if each.applied.action_id == action_id:
                    return each.applied
        return None

    def newest_us(self, security_id: str, as_of_report: int, told_us: int) -> int:
        """When the newest action took effect that was known as of a report: `told_us` if that can
        be, for an action that made no report can be known or not.
        """
        known = self._of_security[self.first_symbol(security_id)]
        newest_us = 0
        for number in range(len(known) + 1):
            is_done = not number or known[number - 1].report_after <= as_of_report
            is_newest = number == len(known) or known[number].report_before >= as_of_report
            if is_done and is_newest:
                newest_us = known[number - 1].applied.time_us if number else 0
                if newest_us == told_us:
                    break
        return newest_us

    def reference_e4(self, security_id: str, until_us: int, listed_e4: int) -> int:
        """The reference price at a time; `listed_e4`: what is listed without any action."""
        first = self.first_symbol(security_id)
        reference_e4 = self._first_references_e4.get(first, listed_e4)
        for known in self._of_security[first]:
            if known.applied.time_us <= until_us:
                reference_e4 = known.reference_e4
        return reference_e4
