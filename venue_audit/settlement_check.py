"""Compares each journal and settlement report that the history derives with the stored ones."""

import msgspec

from clearinghouse.domain.ledger import Journal, Leg, Shortfall
from clearinghouse.domain.report_chain import SealedReport
from venue_audit.action_check import ActionCheck
from venue_audit.differences import JOURNALS, REPORTS, Differences, Value
from venue_audit.history import History
from venue_audit.proposals_check import Consented, ProposalsCheck
from venue_audit.settlement_order import Told
from venue_audit.snapshot import Numbered, Snapshot
from venue_audit.transfers import (
    MOST_REPORTS,
    Transfer,
    is_transfer,
    legs_of,
    readable,
    transfer_of,
)
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.settlement import SettlementReport
from venue_storage.clearing_rows import JournalRow, ReportRow

_JOURNALS = """
SELECT journal_id, journal_kind, time_us, trade_id, reference, accounts, assets, amounts
FROM journals ORDER BY journal_id
"""
_REPORTS = (
    "SELECT sequence, client_id, client_sequence, report FROM settlement_reports ORDER BY sequence"
)
_COPIES = "SELECT sequence, client_id, client_sequence, report FROM settlements ORDER BY sequence"
_FOLLOWING = "SELECT report FROM settlement_reports WHERE client_id = %s AND client_sequence = %s"
_CHAIN_END = "SELECT report_hash FROM accounts WHERE client_id = %s AND report_count = %s"


class SettlementCheck:
    """Walks journals, reports and the feed's copies of reports along with the history, each row
    once.
    """

    def __init__(
        self,
        clearing: Snapshot,
        market: Snapshot,
        recorded: int,
        differences: Differences,
        proposals: ProposalsCheck,
        actions: ActionCheck,
    ) -> None:
        self._clearing = clearing
        self._differences = differences
        self._proposals = proposals
        self._actions = actions
        self._journals = Numbered(
            map(JournalRow._make, clearing.stream(_JOURNALS)), lambda row: row.journal_id
        )
        self._reports = Numbered(
            map(ReportRow._make, clearing.stream(_REPORTS)), lambda row: row.sequence
        )
        self._copies = Numbered(
            map(ReportRow._make, market.stream(_COPIES)), lambda row: row.sequence
        )
        self._recorded = recorded
        self._newest_journal = clearing.number("SELECT last_journal_id FROM settlement_heads")
        self.journals = 0
        self.reports = 0

    def next_told(self, history: History) -> Told | None:
        """What was settled next, as the database tells it; None if it does not say."""
        action = self._actions.due(history.settlement)
        if action is not None:
            return action
        report = self._reports.peek(history.settlement.last_report_sequence + 1)
        told = readable(report) if report is not None else None
        if told is not None and told.settlement_kind == "trade" and told.trade_id is not None:
            return "trade", told.trade_id, 0
        journal = self._journals.peek(history.settlement.last_journal_id + 1)
        if journal is None:
            return None
        if journal.journal_kind == "net_settlement" and journal.reference is not None:
            shard, number = journal.reference.split(":")[1:3]
            return "cycle", int(shard), int(number)
        return None if journal.trade_id is None else ("trade", journal.trade_id, 0)

    def apply_transfers(self, history: History, *, is_last_chance: bool = False) -> None:
        """Apply the deposits, withdrawals and issues that come next, and compare what they
        wrote.

        One that is not covered waits, unless this is the last chance: nothing says which of the
        batches that settled nothing came before it, and one may release what it needs (shares of
        an order that was canceled a moment before they were withdrawn).
        """
        while (transfer := self._next_transfer(history)) is not None:
            consented = self._proposals.consented(
                history.settlement.last_journal_id + 1, transfer.kind
            )
            shortfall = _apply(history, transfer, consented)
            if shortfall is not None and not is_last_chance:
                return
            if consented is not None and shortfall is None:
                self._proposals.done(
                    consented, [report.encoded for report in history.settlement.reports]
                )
            number = history.settlement.last_journal_id
            if shortfall is not None:
                self._differences.compare(
                    "journal",
                    str(number + 1),
                    "cover",
                    "covered",
                    str(shortfall),
                    JOURNALS,
                    number + 1,
                )
                history.settlement.last_journal_id += 1
                self._journals.take(number + 1)
            self.compare(history)

    def compare(self, history: History) -> None:
        """Compare all journals and reports that the history wrote since the last call, and let go
        of them.
        """
        for journal in history.settlement.journals:
            self._compare_journal(journal, self._journals.take(journal.journal_id))
        for report in history.settlement.reports:
            self._compare_report(report, self._reports.take(report.sequence))
            if report.sequence <= self._recorded:
                self._compare_copy(report, self._copies.take(report.sequence))
        history.forget_written()

    def finish(self) -> None:
        """What is stored beyond the history must not be there."""
        for journal in self._journals.rest():
            found = f"{journal.journal_kind} {journal.trade_id or journal.reference}"
            self._differences.compare(
                "journal", str(journal.journal_id), "row", None, found, JOURNALS, journal.journal_id
            )
        for what, rows in (
            ("settlement_report", self._reports),
            ("recorded_settlement", self._copies),
        ):
            for row in rows.rest():
                self._differences.compare(
                    what,
                    _subject(row),
                    "report",
                    None,
                    row.report,
                    REPORTS,
                    row.sequence,
                    row.client_id,
                )

    def _next_transfer(self, history: History) -> Transfer | None:
        if self._actions.due(history.settlement) is not None:
            return None
        number = history.settlement.last_journal_id + 1
        journal = self._journals.peek(number)
        report = self._reports.peek(history.settlement.last_report_sequence + 1)
        is_beyond = report is None and number > self._newest_journal
        if is_beyond or not is_transfer(number, journal, report):
            return None
        reports = self._reports.ahead(MOST_REPORTS) if report is not None else []
        return transfer_of(number, journal, reports, self._is_linked)

    def _is_linked(self, report: SettlementReport) -> bool:
        """Whether the client's next report, or its account, carries this report's hash."""
        following = self._clearing.one(_FOLLOWING, (report.client_id, report.client_sequence + 1))
        if following is not None:
            return f'"previous_hash":"{report.hash}"' in following[0]
        end = self._clearing.one(_CHAIN_END, (report.client_id, report.client_sequence))
        return end is not None and end[0] == report.hash

    def _compare_journal(self, journal: Journal, row: JournalRow | None) -> None:
        self.journals += 1
        number = journal.journal_id
        if row is None:
            expected = f"{journal.kind} {journal.trade_id or journal.reference}"
            self._differences.compare(
                "journal", str(number), "row", expected, None, JOURNALS, number
            )
            return
        self._same(journal, "kind", journal.kind, row.journal_kind)
        self._same(journal, "time_us", journal.time_us, row.time_us)
        self._same(journal, "reference", journal.reference, row.reference)
        self._same(journal, "trade_id", journal.trade_id, row.trade_id)
        if not len(row.accounts) == len(row.assets) == len(row.amounts) == len(journal.legs):
            self._differences.compare(
                "journal",
                str(number),
                "legs",
                len(journal.legs),
                len(row.amounts),
                JOURNALS,
                number,
            )
        elif journal.legs != legs_of(row):
            for place, (leg, found) in enumerate(zip(journal.legs, legs_of(row), strict=True), 1):
                self._compare_leg(number, place, leg, found)

    def _same(self, journal: Journal, field: str, expected: Value, found: Value) -> None:
        number = journal.journal_id
        self._differences.compare("journal", str(number), field, expected, found, JOURNALS, number)

    def _compare_leg(self, number: int, place: int, leg: Leg, found: Leg) -> None:
        subject = f"{number} entry {place} ({leg.client_id} {leg.asset})"
        unit = "amount_e4" if leg.asset == CASH else "shares"
        values: list[tuple[str, Value, Value]] = [
            ("account", leg.client_id, found.client_id),
            ("asset", leg.asset, found.asset),
            (unit, leg.amount, found.amount),
        ]
        for field, expected, stored in values:
            self._differences.compare("journal", subject, field, expected, stored, JOURNALS, number)

    def _compare_report(self, report: SealedReport, row: ReportRow | None) -> None:
        self.reports += 1
        if row is None:
            missing = f"{report.sequence} of {report.client_id}"
            self._differences.compare(
                "settlement_report",
                missing,
                "report",
                report.encoded.decode(),
                None,
                REPORTS,
                report.sequence,
            )
            return
        for field in ("client_id", "client_sequence"):
            self._note(row, f"{field} (column)", getattr(report, field), getattr(row, field))
        if row.report.encode() != report.encoded:
            self._compare_fields(report, row)

    def _compare_fields(self, report: SealedReport, row: ReportRow) -> None:
        """Name each field in which a stored report differs."""
        try:
            found = msgspec.structs.asdict(codec.decode_report(row.report))
        except codec.CodecError as error:
            self._note(row, "report", report.encoded.decode(), str(error))
            return
        expected = msgspec.structs.asdict(codec.decode_report(report.encoded))
        if found == expected:
            self._note(row, "report", report.encoded.decode(), row.report)
        for field, value in expected.items():
            self._note(row, field, value, found[field])

    def _compare_copy(self, report: SealedReport, row: ReportRow | None) -> None:
        """The feed's copy is byte for byte the report."""
        encoded = report.encoded.decode()
        subject = f"{report.sequence} of {report.client_id}"
        found = row.report if row is not None else None
        self._differences.compare(
            "recorded_settlement",
            subject,
            "report",
            encoded,
            found,
            REPORTS,
            report.sequence,
            report.client_id,
        )

    def _note(self, row: ReportRow, field: str, expected: Value, found: Value) -> None:
        self._differences.compare(
            "settlement_report",
            _subject(row),
            field,
            expected,
            found,
            REPORTS,
            row.sequence,
            row.client_id,
        )


def _apply(history: History, transfer: Transfer, consented: Consented | None) -> Shortfall | None:
    """What the proposal says was moved; where nobody had to consent, what its witnesses say."""
    if consented is None:
        return history.transfer(transfer)
    if consented.correction is not None:
        return history.correct(consented.correction, transfer.time_us)
    return history.transfer(
        Transfer(
            consented.kind,
            transfer.time_us,
            consented.legs,
            consented.reference,
            consented.memo,
        )
    )


def _subject(row: ReportRow) -> str:
    return f"{row.sequence} of {row.client_id}"
