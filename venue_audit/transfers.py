"""What the log does not tell: cash and shares that entered, left or were issued, and when.

A transfer has two witnesses, its journal and its settlement reports. Where they disagree, reports
whose hash and successor's link are right win over the journal, and otherwise the journal wins; what
is left over shows up when journals and reports are compared with what the transfer must have
written.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY, UNREPORTED
from venue_audit.report_ledger import is_sealed
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.settlement import DERIVED_KINDS, SettlementReport
from venue_storage.clearing_rows import JournalRow, ReportRow

MOST_REPORTS = 20_000
"""Of one transfer: one for cash, and two for each security in an endowment."""


class Transfer(NamedTuple):
    """A movement to apply: what the two witnesses together say."""

    kind: str
    time_us: int
    legs: tuple[Leg, ...]
    reference: str | None
    memo: str | None


def is_transfer(number: int, journal: JournalRow | None, report: ReportRow | None) -> bool:
    """Whether journal `number` does not follow from the log: somebody asked for it.

    `journal` is its row, `report` the next one not yet explained.

    A sound report of this journal, or of a failed trade before it, decides; else the journal does.
    """
    told = readable(report) if report is not None else None
    if (
        report is not None
        and told is not None
        and told.journal_id in (number, 0)
        and is_sealed(report.report)
    ):
        return told.settlement_kind not in DERIVED_KINDS
    return journal is not None and journal.journal_kind not in DERIVED_KINDS


def transfer_of(
    number: int,
    journal: JournalRow | None,
    reports: Sequence[ReportRow],
    is_linked: Callable[[SettlementReport], bool],
) -> Transfer | None:
    """The transfer that has journal `number`; None if nobody tells of it any more.

    `reports` are the next rows not yet explained; `is_linked` says whether the client's next report
    (or its account) carries a report's hash.
    """
    own = _own_reports(number, reports)
    told = [report for report, _ in own]
    if journal is None or journal.journal_kind in DERIVED_KINDS:
        return _as_reported(None, told) if told else None
    if (
        told
        and not _agree(journal, told)
        and all(is_sound and is_linked(report) for report, is_sound in own)
    ):
        return _as_reported(journal, told)
    memo = told[0].memo if told else None
    return Transfer(
        journal.journal_kind, journal.time_us, legs_of(journal), journal.reference, memo
    )


def legs_of(journal: JournalRow) -> tuple[Leg, ...]:
    """Its ledger entries; no more than its shortest column has."""
    return tuple(map(Leg, journal.accounts, journal.assets, journal.amounts))


def readable(row: ReportRow) -> SettlementReport | None:
    """The stored report; None if its text is not one."""
    try:
        return codec.decode_report(row.report)
    except codec.CodecError:
        return None


def _own_reports(number: int, reports: Sequence[ReportRow]) -> list[tuple[SettlementReport, bool]]:
    """The reports of this journal, each with whether its own hash is right."""
    own = []
    for row in reports:
        report = readable(row)
        if report is None or report.journal_id != number:
            break
        own.append((report, is_sealed(row.report)))
    return own


def _moved(report: SettlementReport) -> Leg:
    if report.security_id is None:
        return Leg(report.client_id, CASH, report.cash_e4)
    return Leg(report.client_id, report.security_id, report.shares)


def _agree(journal: JournalRow, reports: Sequence[SettlementReport]) -> bool:
    """Whether journal and reports tell the same movements at the same time."""
    entered = [leg for leg in legs_of(journal) if leg.client_id not in UNREPORTED]
    return entered == [_moved(report) for report in reports] and all(
        report.time_us == journal.time_us for report in reports
    )


def _as_reported(journal: JournalRow | None, reports: Sequence[SettlementReport]) -> Transfer:
    """The transfer as its reports tell it; what they leave open in an asset came from outside, or
    went there.
    """
    moved = [_moved(report) for report in reports]
    legs: list[Leg] = []
    for asset in dict.fromkeys(leg.asset for leg in moved):
        own = [leg for leg in moved if leg.asset == asset]
        rest = sum(leg.amount for leg in own)
        legs += [Leg(BANK if asset == CASH else DEPOSITORY, asset, -rest)] * bool(rest) + own
    if journal is None:
        return Transfer(
            reports[0].settlement_kind, reports[0].time_us, tuple(legs), None, reports[0].memo
        )
    return Transfer(
        journal.journal_kind, reports[0].time_us, tuple(legs), journal.reference, reports[0].memo
    )
