"""A small settled history to take reports and journals from."""

import hashlib
from typing import Any

import msgspec

from clearinghouse.domain.ledger import Journal, Ledger, Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY, EXTERNAL, ISSUER
from venue_protocol import codec
from venue_protocol.events import Trade
from venue_protocol.holds import CASH
from venue_storage.clearing_rows import JournalRow, ReportRow

NOW_US = 1_700_000_000_000_000


class Books:
    """A settlement with ann, who has cash, and bob, who has shares; `trade` lets her buy from
    him.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.settlement = Settlement(self.ledger, {}, 0, 0)
        self.transfer("issue", Leg(DEPOSITORY, "AAPL", -1_000), Leg(ISSUER, "AAPL", 1_000))
        self.transfer("deposit", Leg(BANK, CASH, -(10**8)), Leg("ann", CASH, 10**8))
        self.transfer(
            "deposit",
            Leg(BANK, CASH, -(10**8)),
            Leg("bob", CASH, 10**8),
            Leg(ISSUER, "AAPL", -100),
            Leg("bob", "AAPL", 100),
        )

    def transfer(self, kind: str, *legs: Leg) -> None:
        for leg in legs:
            self.ledger.position(leg.client_id, leg.asset).is_external = leg.client_id in EXTERNAL
        assert self.settlement.transfer(kind, NOW_US, legs, None, "by hand") is None

    def trade(self, trade_id: int, quantity: int = 3, price_e4: int = 1_000_000) -> None:
        self.ledger.position("ann", CASH).held += quantity * price_e4
        self.ledger.position("bob", "AAPL").held += quantity
        trade = Trade(
            trade_id, "AAPL", price_e4, quantity, "BUY", 7, "ann", price_e4, 0, 8, "bob", 0
        )
        self.settlement.apply(trade, NOW_US + trade_id)

    @property
    def journals(self) -> list[JournalRow]:
        return [_journal_row(journal) for journal in self.settlement.journals]

    @property
    def reports(self) -> list[ReportRow]:
        return [
            ReportRow(
                report.sequence, report.client_id, report.client_sequence, report.encoded.decode()
            )
            for report in self.settlement.reports
        ]


def _journal_row(journal: Journal) -> JournalRow:
    accounts, assets, amounts = zip(*journal.legs, strict=True)
    return JournalRow(
        journal.journal_id,
        journal.kind,
        journal.time_us,
        journal.trade_id,
        journal.reference,
        accounts,
        assets,
        amounts,
    )


def changed(row: ReportRow, sealed: bool = False, **fields: Any) -> ReportRow:
    """The report with other values in its text, sealed again or with its old hash."""
    report = msgspec.structs.replace(codec.decode_report(row.report), **fields)
    if sealed:
        bare = codec.encode(msgspec.structs.replace(report, hash=""))
        report = msgspec.structs.replace(report, hash=hashlib.sha256(bare).hexdigest())
    return row._replace(report=codec.encode(report).decode())
