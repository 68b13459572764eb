"""Compares stock loans with what happened to them, with the journals, and with the marks.

The fold of `loan_events` gives every loan and so all collateral; each event is made again from the
loan before it by the clearinghouse's own rules, and each journal of a loan belongs to one event.
Marks are made again from the settlement reports. An example: a loan whose collateral was lowered
by a cent differs in `collateral_e4`, and so does the hold on its client's cash.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from clearinghouse.domain.venue_accounts import LENDER
from venue_audit.action_history import ActionHistory
from venue_audit.differences import JOURNALS, Differences, Value
from venue_audit.loan_rules import Moved, expected_after
from venue_audit.margin_mark_check import MarginMarkCheck
from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.settlement import CLOSE_OUT, DEFAULT_FUND, SettlementReport
from venue_protocol.stock_loans import LoanEvent, StockLoan

LOAN_EVENTS = "loan event"
_HAS_LOANS = "SELECT to_regclass('loan_events') IS NOT NULL"
_EVENTS = """
SELECT number, loan_events.time_us, client_id, security_id, event, journal_kind, accounts, assets,
    amounts
FROM loan_events LEFT JOIN journals ON journal_id = (event::json->>'journal_id')::bigint
ORDER BY number
"""
_LOANS = "SELECT client_id, security_id, quantity, collateral_e4, loan FROM stock_loans"
_ORPHANS = """
SELECT journal_id, journal_kind FROM journals
WHERE journal_kind IN ('stock_loan', 'loan_return', 'loan_fee', 'close_out')
AND journal_id NOT IN (
    SELECT (event::json->>'journal_id')::bigint FROM loan_events
    WHERE event::json->>'journal_id' IS NOT NULL
) ORDER BY journal_id
"""
_TWICE = """
SELECT (event::json->>'journal_id')::bigint AS journal_id, count(*) FROM loan_events
WHERE event::json->>'journal_id' IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1
"""

_BEFORE_ACTIONS = ("withdrawn", "bought", "closed", "dividend")
"""What can happen to a loan that has an action to follow: an order ends, and so may the loan."""
_BALANCE = "SELECT balance_e4 FROM accounts WHERE client_id = %s"
_SHARES = "SELECT security_id, quantity FROM securities_deposits WHERE client_id = %s"
_FILLS = """
SELECT report FROM settlement_reports JOIN order_log
ON order_log.client_id = settlement_reports.client_id
AND (report::json->>'order_id')::bigint = order_log.shard::bigint << 40 | order_log.sequence
WHERE settlement_reports.client_id = %s AND client_order_id = %s AND client_sequence > %s
"""


class LoanCheck:
    """Reads one snapshot of clearing_data."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        row = clearing.one(_HAS_LOANS)
        self._has_loans = bool(row and row[0])
        self._marks: MarginMarkCheck | None = None
        self._actions = ActionHistory()
        self._followed: dict[tuple[str, str], AppliedAction] = {}
        """The newest action that each loan, by client and first symbol, has followed."""
        self.events = 0
        self.loans: dict[tuple[str, str], StockLoan] = {}

    def run(self, actions: ActionHistory) -> Counter[tuple[str, str]]:
        """Fold the events and compare; the collateral by client and asset."""
        if not self._has_loans:
            return Counter()
        self._actions = actions
        self._marks = MarginMarkCheck(self._clearing, self._differences, actions)
        for number, time_us, client_id, security_id, text, *journal in self._clearing.stream(
            _EVENTS
        ):
            self.events += 1
            self._note(str(number), "number", self.events, number, number)
            try:
                event = msgspec.json.decode(text, type=LoanEvent)
            except msgspec.MsgspecError as error:
                self._note(str(number), "event", "a loan event", str(error), number)
                continue
            key = f"{client_id} {security_id}"
            self._note(str(number), "key", key, " ".join(event.loan.key), number)
            self._take(number, time_us, event, Moved.of(*journal))
        self._compare_loans()
        self._compare_journals()
        self._compare_default_fund()
        self._compare_pots()
        collateral: Counter[tuple[str, str]] = Counter()
        for loan in self.loans.values():
            collateral[loan.client_id, CASH] += loan.collateral_e4
        return collateral

    def take(self, report: SettlementReport) -> None:
        """The next settlement report, for the marks."""
        if self._marks is not None:
            self._marks.take(report)

    def finish(self) -> None:
        """Marks that no report leads to."""
        if self._marks is not None:
            self._marks.finish()

    def _take(self, number: int, time_us: int, event: LoanEvent, moved: Moved) -> None:
        key = (event.loan.client_id, event.renamed or event.loan.security_id)
        # A loan begins with what its security is then: it follows what comes behind.
        before = self.loans.pop(key, None) or StockLoan(*key, followed_us=event.acted_us)
        if event.kind == "bought" and self._is_behind(before):
            moved = self._swept(before)
        applied = self._next_action(before, event)
        expected = msgspec.structs.asdict(
            expected_after(before, event, number, time_us, moved, applied, self._actions.paid)
        )
        for field, value in msgspec.structs.asdict(event.loan).items():
            self._note(f"{number} ({event.kind})", field, _shown(expected[field]), _shown(value))
        self._compare_actions(number, event)
        if self._marks is not None:
            self._marks.used(number, event)
        if not event.loan.is_over:
            self.loans[event.loan.key] = event.loan

    def _is_behind(self, loan: StockLoan) -> bool:
        """Whether there is an action that the loan has not followed."""
        return bool(self._actions.after(loan.security_id, loan.followed_us))

    def _next_action(self, before: StockLoan, event: LoanEvent) -> AppliedAction | None:
        """The action that the loan has to follow next, if this event follows one: none is passed
        over, and none comes twice.
        """
        if not event.action_id:
            return None
        key = before.client_id, self._actions.first_symbol(before.security_id)
        last = self._followed.get(key)
        # Dividends that went ex together have one time.
        together = last is not None and last.time_us == before.followed_us
        waiting = self._actions.after(before.security_id, before.followed_us - together)
        if together:
            waiting = [each for each in waiting if last is None or each > last]
        if waiting:
            self._followed[key] = waiting[0]
        return waiting[0] if waiting else None

    def _compare_actions(self, number: int, event: LoanEvent) -> None:
        """The event knows the newest action of its time, and the loan has followed it before
        anything else happened to it.
        """
        loan, told_us = event.loan, event.acted_us
        newest_us = self._actions.newest_us(loan.security_id, event.as_of_report, told_us)
        subject = f"{number} ({event.kind})"
        self._note(subject, "acted_us", newest_us, told_us, number)
        if event.kind not in _BEFORE_ACTIONS and not event.action_id:
            self._note(subject, "followed_us", newest_us, loan.followed_us, number)

    def _swept(self, loan: StockLoan) -> Moved:
        """What an order had bought when an action gave it to the pool."""
        rows = self._clearing.all(_FILLS, (CLOSE_OUT, loan.order, loan.reports_before))
        bought = sum(codec.decode_report(row[0]).shares for row in rows)
        return Moved("loan_return", {(LENDER, loan.security_id): bought})

    def _compare_loans(self) -> None:
        unseen = dict(self.loans)
        for client_id, security_id, quantity, collateral_e4, text in self._clearing.stream(_LOANS):
            subject = f"{client_id} {security_id}"
            loan = unseen.pop((client_id, security_id), None)
            if loan is None:
                self._differences.compare("loan", subject, "row", None, text)
                continue
            self._differences.compare("loan", subject, "quantity", loan.quantity, quantity)
            self._differences.compare(
                "loan", subject, "collateral_e4", loan.collateral_e4, collateral_e4
            )
            told = msgspec.json.encode(loan).decode()
            self._differences.compare("loan", subject, "loan", told, text)
        for key, loan in unseen.items():
            self._differences.compare("loan", " ".join(key), "quantity", loan.quantity, None)

    def _compare_journals(self) -> None:
        for journal_id, kind in self._clearing.all(_ORPHANS):
            self._differences.compare(
                "journal", str(journal_id), "loan event", None, kind, JOURNALS, journal_id
            )
        for journal_id, count in self._clearing.all(_TWICE):
            self._differences.compare(
                "journal", str(journal_id), "loan events", 1, count, JOURNALS, journal_id
            )

    def _compare_default_fund(self) -> None:
        """The members' contributions are what the account holds."""
        told = self._clearing.number("SELECT sum(contribution_e4) FROM default_fund")
        held = self._clearing.number(_BALANCE, (DEFAULT_FUND,))
        self._differences.compare("default_fund", DEFAULT_FUND, "balance_e4", told, held)

    def _compare_pots(self) -> None:
        """The account `close_out` has the money of the loans that are bought back, less what fills
        cost that no event tells of yet, and their shares.
        """
        pots_e4 = sum(loan.pot_e4 for loan in self.loans.values())
        shares: Counter[str] = Counter()
        for loan in self.loans.values():
            if loan.order is None:
                continue
            for text in self._clearing.all(_FILLS, (CLOSE_OUT, loan.order, loan.reports_before)):
                report = codec.decode_report(text[0])
                pots_e4 += report.cash_e4
                if not self._is_behind(loan):
                    shares[loan.security_id] += report.shares
        found_e4 = self._clearing.number(_BALANCE, (CLOSE_OUT,))
        self._differences.compare("close_out", CLOSE_OUT, "balance_e4", pots_e4, found_e4)
        for security_id, quantity in self._clearing.all(_SHARES, (CLOSE_OUT,)):
            self._differences.compare(
                "close_out", f"{CLOSE_OUT} {security_id}", "quantity", shares[security_id], quantity
            )

    def _note(
        self, subject: str, field: str, expected: Value, found: Value, number: int | None = None
    ) -> None:
        self._differences.compare(
            "loan_event", subject, field, expected, found, LOAN_EVENTS, number
        )


def _shown(value: object) -> Value:
    """A field of a loan as a difference shows it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {amount}" for name, amount in value.items())
    return value if value is None or isinstance(value, int | str) else str(value)
