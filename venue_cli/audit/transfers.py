"""What the log does not tell: cash and shares that entered, left or were issued, and when.

A transfer has two witnesses, its journal and its settlement reports. Where they disagree, reports whose
hash and successor's link are right win over the journal, and otherwise the journal wins; what is left over
shows up when journals and reports are compared with what the transfer must have written.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from clearinghouse.administration import BANK, DEPOSITORY, EXTERNAL
from clearinghouse.domain.ledger import Leg
from venue_cli.audit.report_ledger import ReportRow, is_sealed
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.settlement import SettlementReport

MOST_REPORTS = 256
"""Of one transfer: cash and one for each security endowed, twice."""
_TRADE = "trade"
_TRADE_REPORTS = ("trade", "failed_trade")


class JournalRow(NamedTuple):
    """One row of journals."""

    journal_id: int
    kind: str
    time_us: int
    trade_id: int | None
    reference: str | None
    accounts: list[str]
    assets: list[str]
    amounts: list[int]

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Its ledger entries; shorter than the longest column if the columns have different lengths."""
        return tuple(map(Leg, self.accounts, self.assets, self.amounts))


class Transfer(NamedTuple):
    """A movement to apply: what the two witnesses together say."""

    kind: str
    time_us: int
    legs: tuple[Leg, ...]
    reference: str | None
    memo: str | None


def next_transfer(
    number: int,
    journal: JournalRow | None,
    reports: Sequence[ReportRow],
    is_linked: Callable[[SettlementReport], bool],
) -> Transfer | None:
    """The transfer that has journal `number`, or None if that is a trade's.

    `journal` is the row with this number, `reports` the next rows not yet explained; `is_linked` says
    whether the client's next report (or account) carries a report's hash.
    """
    told = [_readable(row) for row in reports[:1]]
    first = told[0] if told else None
    if first is not None and is_sealed(reports[0].report) and (first.journal_id == number or first.journal_id == 0):
        if first.settlement_kind in _TRADE_REPORTS:
            return None
    elif journal is None or journal.kind == _TRADE:
        return None
    own = _own_reports(number, reports)
    if journal is not None and journal.kind != _TRADE and _agree(journal, [report for report, _ in own]):
        return Transfer(journal.kind, journal.time_us, journal.legs, journal.reference, _memo(own))
    if own and (journal is None or journal.kind == _TRADE or all(is_sound and is_linked(r) for r, is_sound in own)):
        return _as_reported(journal, [report for report, _ in own])
    if journal is None:
        return None
    return Transfer(journal.kind, journal.time_us, journal.legs, journal.reference, _memo(own))


def _readable(row: ReportRow) -> SettlementReport | None:
    try:
        return codec.decode_report(row.report)
    except codec.CodecError:
        return None


def _own_reports(number: int, reports: Sequence[ReportRow]) -> list[tuple[SettlementReport, bool]]:
    """The reports of this journal, each with whether its own hash is right."""
    own = []
    for row in reports:
        report = _readable(row)
        if report is None or report.journal_id != number:
            break
        own.append((report, is_sealed(row.report)))
    return own


def _memo(own: Sequence[tuple[SettlementReport, bool]]) -> str | None:
    return own[0][0].memo if own else None


def _moved(report: SettlementReport) -> Leg:
    if report.security_id is None:
        return Leg(report.client_id, CASH, report.cash_e4)
    return Leg(report.client_id, report.security_id, report.shares)


def _agree(journal: JournalRow, reports: Sequence[SettlementReport]) -> bool:
    """Whether journal and reports tell the same movements at the same time."""
    entered = [leg for leg in journal.legs if leg.client_id not in EXTERNAL]
    return entered == [_moved(report) for report in reports] and all(
        report.time_us == journal.time_us for report in reports
    )


def _as_reported(journal: JournalRow | None, reports: Sequence[SettlementReport]) -> Transfer:
    """The transfer as its reports tell it; what they leave open in an asset came from outside, or went there."""
    moved = [_moved(report) for report in reports]
    legs: list[Leg] = []
    for asset in dict.fromkeys(leg.asset for leg in moved):
        own = [leg for leg in moved if leg.asset == asset]
        rest = sum(leg.amount for leg in own)
        legs += [Leg(BANK if asset == CASH else DEPOSITORY, asset, -rest)] * bool(rest) + own
    kind = journal.kind if journal is not None and journal.kind != _TRADE else reports[0].settlement_kind
    reference = journal.reference if journal is not None else None
    return Transfer(kind, reports[0].time_us, tuple(legs), reference, reports[0].memo)
