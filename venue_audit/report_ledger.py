"""Balances and holdings rebuilt from settlement reports alone, and the proof that no report was
changed.
"""

import hashlib
from dataclasses import dataclass, field

from venue_audit.differences import REPORTS, Differences
from venue_protocol import codec
from venue_protocol.settlement import GENESIS_HASH, SettlementReport
from venue_storage.clearing_rows import ReportRow

_HASH_FIELD = ',"hash":"'


@dataclass(slots=True)
class ClientBooks:
    """What a client's reports say it has, and where their chain ends."""

    balance_e4: int = 0
    holdings: dict[str, int] = field(default_factory=dict)
    count: int = 0
    hash: str = GENESIS_HASH
    last_sequence: int = 0


def sealed_hash(text: str) -> str:
    """The hash that this report's text must carry:

    SHA-256 of the text without its last field, the hash itself.
    """
    bare = text.rpartition(_HASH_FIELD)[0] + "}" if _HASH_FIELD in text else text
    return hashlib.sha256(bare.encode()).hexdigest()


def is_sealed(text: str) -> bool:
    """Whether the report's own hash is right and is the last thing in it."""
    return _ending(text) == sealed_hash(text)


def _ending(text: str) -> str:
    """What stands at the end of a report, where its hash belongs."""
    return text.rpartition(_HASH_FIELD)[2].removesuffix('"}')


class ReportLedger:
    """Takes reports in sequence; each is checked against itself, its predecessor and the sums so
    far.

    `is_whole`: all clients' reports come, so that their common sequence can't have a hole either.
    """

    def __init__(self, differences: Differences, is_whole: bool = True) -> None:
        self._differences = differences
        self._is_whole = is_whole
        self.clients: dict[str, ClientBooks] = {}
        self.last_sequence = 0

    def take(self, row: ReportRow) -> SettlementReport | None:
        """Add one report's movement; the report, or None if its text is not one."""
        if self._is_whole:
            self._same("sequence_without_hole", row, self.last_sequence + 1, row.sequence)
        self.last_sequence = row.sequence
        try:
            report = codec.decode_report(row.report)
        except codec.CodecError as error:
            self._same("report", row, "a settlement report", str(error))
            return None
        books = self.clients.get(row.client_id)
        if books is None:
            books = self.clients[row.client_id] = ClientBooks()
        self._check_identity(row, report)
        self._check_chain(row, report, books)
        self._add(row, report, books)
        return report

    def _check_identity(self, row: ReportRow, report: SettlementReport) -> None:
        """The columns beside the text say the same as the text."""
        self._same("sequence", row, row.sequence, report.sequence)
        self._same("client_id", row, row.client_id, report.client_id)
        self._same("client_sequence", row, row.client_sequence, report.client_sequence)

    def _check_chain(self, row: ReportRow, report: SettlementReport, books: ClientBooks) -> None:
        self._same("client_sequence_without_hole", row, books.count + 1, row.client_sequence)
        self._same("previous_hash", row, books.hash, report.previous_hash)
        self._same("hash", row, sealed_hash(row.report), _ending(row.report))
        books.count, books.hash, books.last_sequence = (
            row.client_sequence,
            report.hash,
            row.sequence,
        )

    def _add(self, row: ReportRow, report: SettlementReport, books: ClientBooks) -> None:
        books.balance_e4 += report.cash_e4
        self._same("balance_e4", row, books.balance_e4, report.balance_e4)
        if report.security_id is not None:
            holding = books.holdings.get(report.security_id, 0) + report.shares
            books.holdings[report.security_id] = holding
            self._same("holding", row, holding, report.holding)
        else:
            self._same("shares", row, 0, report.shares)

    def _same(
        self, name: str, row: ReportRow, expected: int | str, found: int | str | None
    ) -> None:
        self._differences.compare(
            "report_chain",
            f"{row.sequence} of {row.client_id}",
            name,
            expected,
            found,
            REPORTS,
            row.sequence,
            row.client_id,
        )
