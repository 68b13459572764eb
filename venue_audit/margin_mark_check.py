"""Makes the marks of lent securities again from the settlement reports."""

from collections import defaultdict

from venue_audit.action_history import ActionHistory
from venue_audit.differences import REPORTS, Differences
from venue_audit.snapshot import Snapshot
from venue_protocol.loan_actions import mark_after_e4
from venue_protocol.securities import Security
from venue_protocol.settlement import SettlementReport
from venue_protocol.stock_loans import LoanEvent, Mark
from venue_protocol.trade_window import TradeWindow

_MARKS = (
    f"SELECT {', '.join(Mark._fields)} FROM loan_marks"
    " ORDER BY as_of_report, followed_us, security_id"
)
_SECURITIES = f"SELECT {', '.join(Security.__struct_fields__)} FROM securities"


class MarginMarkCheck:
    """Walks marks along with the reports; `used` compares the marks of loan events."""

    def __init__(
        self, clearing: Snapshot, differences: Differences, actions: ActionHistory
    ) -> None:
        self._differences = differences
        self._actions = actions
        self._securities = {row[0]: Security(*row) for row in clearing.all(_SECURITIES)}
        self._marks = [Mark(*row) for row in clearing.all(_MARKS)]
        self._of_security: defaultdict[str, list[Mark]] = defaultdict(list)
        for mark in self._marks:
            self._of_security[actions.first_symbol(mark.security_id)].append(mark)
        self._windows = {name: TradeWindow(0) for name in self._of_security}
        self._before: dict[str, Mark] = {}
        self._next = 0

    def used(self, number: int, event: LoanEvent) -> None:
        """The mark that a loan event names is the newest there was."""
        known = [
            mark.mark_e4
            for mark in self._of_security[self._actions.first_symbol(event.loan.security_id)]
            if mark.as_of_report <= event.as_of_report and mark.followed_us <= event.acted_us
        ]
        self._differences.compare(
            "loan_event",
            f"{number} ({event.kind})",
            "mark_e4",
            known[-1] if known else None,
            event.mark_e4,
        )

    def take(self, report: SettlementReport) -> None:
        """The next report; marks that were made before it are compared."""
        self._compare_until(report.sequence - 1)
        window = self._windows.get(self._actions.first_symbol(report.security_id or ""))
        if window is not None and report.settlement_kind == "trade":
            window.take(report)

    def finish(self) -> None:
        """Compare the marks that were made after the last report."""
        self._compare_until(None)

    def _compare_until(self, sequence: int | None) -> None:
        while self._next < len(self._marks):
            mark = self._marks[self._next]
            if sequence is not None and mark.as_of_report > sequence:
                return
            self._next += 1
            first = self._actions.first_symbol(mark.security_id)
            security, window = self._securities[mark.security_id], self._windows[first]
            followed_us = self._actions.newest_us(first, mark.as_of_report, mark.followed_us)
            before_e4 = self._before_e4(mark, security, followed_us)
            found_e4 = window.mark(before_e4, security, mark.from_report, followed_us)
            for field, expected, found in (
                ("followed_us", followed_us, mark.followed_us),
                ("mark_e4", found_e4, mark.mark_e4),
            ):
                self._differences.compare(
                    "mark",
                    f"{mark.security_id} as of {mark.as_of_report}",
                    field,
                    expected,
                    found,
                    REPORTS,
                    mark.as_of_report,
                )
            self._before[first] = mark

    def _before_e4(self, mark: Mark, security: Security, followed_us: int) -> int:
        """The mark before this one, with what actions have made of it; at first the reference price
        as of then.
        """
        name, known = (
            mark.security_id,
            self._before.get(self._actions.first_symbol(mark.security_id)),
        )
        if known is None:
            return self._actions.reference_e4(name, followed_us, security.reference_price_e4)
        actions = [
            applied
            for applied in self._actions.after(name, known.followed_us)
            if applied.time_us <= followed_us
        ]
        return mark_after_e4(known.mark_e4, actions, security.tick_e4)
