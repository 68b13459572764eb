"""Settlement reports: what the clearinghouse did to one client's cash and shares, and why."""

import hashlib
from typing import Final, Literal

import msgspec

from venue_protocol.orders import Side

SettlementKind = Literal[
    "trade",
    "failed_trade",
    "net_settlement",
    "fails_charge",
    "dividend",
    "split",
    "symbol_change",
    "delisting",
    "deposit",
    "withdrawal",
    "bust",
    "correction",
    "fine",
    "stock_loan",
    "loan_return",
    "loan_fee",
    "close_out",
]
DERIVED_KINDS = frozenset(
    {
        "trade",
        "failed_trade",
        "net_settlement",
        "fails_charge",
        "dividend",
        "split",
        "symbol_change",
        "delisting",
    }
)
"""Kinds of journals and reports that the order log causes, so that it alone derives them.

All others are transfers: their journal is the record of what somebody asked the clearinghouse for.
"""
JOURNAL_KINDS = (
    "trade",
    "net_settlement",
    "fails_charge",
    "dividend",
    "split",
    "symbol_change",
    "delisting",
    "deposit",
    "withdrawal",
    "issue",
    "bust",
    "correction",
    "fine",
    "stock_loan",
    "loan_return",
    "loan_fee",
    "close_out",
)

CLOSE_OUT: Final = "close_out"
"""The venue's account that buys back what a client borrowed and did not return: its orders are the
clearinghouse's, logged by the gateway.
"""
DEFAULT_FUND: Final = "default_fund"
"""Holds the members' contributions to the default fund."""
CLEARING_CAPITAL: Final = "clearing_capital"
"""The clearinghouse's own money, used up before other members' contributions."""
GENESIS_HASH = "0" * 64
STARTING_POSITION = "starting position"
"""Memo of the first deposit of a client: what everybody gets."""


class SettlementReport(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One movement on one client's accounts. Reports of a client are chained by hash.

    Replaying a client's reports from the first gives exactly its balance and holdings.
    """

    sequence: int
    """Venue-wide, gap-free, from 1."""
    client_id: str
    client_sequence: int
    """Gap-free per client, from 1."""
    settlement_kind: SettlementKind
    journal_id: int
    """The double-entry journal of this movement; 0 for failed_trade."""
    cash_e4: int
    """Signed change of the balance, ten-thousandths of a dollar; the fee is in it."""
    shares: int
    """Signed change of the holding in security_id, shares."""
    balance_e4: int
    """Balance after this movement."""
    time_us: int
    previous_hash: str
    """Hash of the client's previous report, hexadecimal; GENESIS_HASH for the first."""
    security_id: str | None = None
    holding: int | None = None
    """Shares of security_id after this movement."""
    trade_id: int | None = None
    order_id: int | None = None
    side: Side | None = None
    quantity: int | None = None
    price_e4: int | None = None
    memo: str | None = None
    fee_e4: int = 0
    """Of a trade: what this side paid for it, ten-thousandths of a dollar; below zero: a rebate."""
    settlement_cycle: int | None = None
    """Of a trade: the cycle in which it is due. Of a net settlement: the cycle that settled."""
    settled_cash_e4: int = 0
    """Of a net settlement: cash paid to the client, negative if it paid. It was in the balance, or
    no longer in it, since the trades.
    """
    settled_shares: int = 0
    """Of a net settlement: shares delivered to the client, negative if it delivered."""
    open_shares: int = 0
    """Of a net settlement: shares that failed, and are due again in the next cycle."""
    hash: str = ""


def report_hash(report: SettlementReport) -> str:
    """SHA-256, hexadecimal, of the report's canonical JSON (fields in order, defaults left out)
    without its hash.
    """
    bare = msgspec.structs.replace(report, hash="") if report.hash else report
    return hashlib.sha256(msgspec.json.encode(bare)).hexdigest()


class SettlementBatch(msgspec.Struct, frozen=True, tag_field="kind", tag="settlement_batch"):
    """The reports of one settlement transaction, in sequence."""

    schema: int
    first: int
    reports: list[SettlementReport]

    @property
    def last(self) -> int:
        """Sequence of the last report."""
        return self.first + len(self.reports) - 1
