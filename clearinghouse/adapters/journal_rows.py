"""Journals and settlement reports as rows of COPY text."""

from collections.abc import Sequence

from clearinghouse.domain.ledger import Journal
from clearinghouse.domain.report_chain import SealedReport
from service_runtime.copy_text import NULL, copy_text, json_field, text_field
from service_runtime.database import Cursor


def write_journals(cursor: Cursor, journals: Sequence[Journal]) -> None:
    """Add these journals."""
    rows = [_journal_row(journal) for journal in journals]
    copy_text(
        cursor,
        "journals (journal_id, journal_kind, time_us, trade_id, reference, accounts, assets, "
        "amounts)",
        rows,
    )


def _journal_row(journal: Journal) -> str:
    """A row of COPY text.

    A reference is what an administrator sent: printable, but it may have a backslash to escape.
    """
    legs = journal.legs
    trade_id = NULL if journal.trade_id is None else journal.trade_id
    reference = NULL if journal.reference is None else text_field(journal.reference)
    amounts = ",".join([str(leg.amount) for leg in legs])
    accounts = _names([leg.client_id for leg in legs])
    assets = _names([leg.asset for leg in legs])
    return (
        f"{journal.journal_id}\t{journal.kind}\t{journal.time_us}\t{trade_id}\t{reference}\t"
        f"{accounts}\t{assets}\t{{{amounts}}}\n"
    )


def write_reports(cursor: Cursor, reports: Sequence[SealedReport]) -> None:
    """Add these settlement reports."""
    rows = [
        f"{sequence}\t{client_id}\t{client_sequence}\t{json_field(encoded.decode())}\n"
        for sequence, client_id, client_sequence, encoded in reports
    ]
    copy_text(cursor, "settlement_reports (sequence, client_id, client_sequence, report)", rows)


def _names(ids: list[str]) -> str:
    """A Postgres array literal.

    Quoted, for a client may be called null; ids have no character to escape.
    """
    return '{"' + '","'.join(ids) + '"}'
