"""Settlement reports: one for each client of a movement, numbered, chained by hash, encoded once.

An example: Ann's second report is number 2 of hers and, say, 7 of the venue. It carries the hash of
her first report, and the SHA-256 of its own text. Who keeps her newest hash can show that nothing
before it was changed, for every hash is made from the one before.
"""

import hashlib
from typing import NamedTuple, cast, get_args

from clearinghouse.domain.corrections import SIDES, Correction, SettledTrade
from clearinghouse.domain.ledger import Journal, Ledger, Leg, ReportChain
from venue_protocol import codec
from venue_protocol.events import Trade
from venue_protocol.holds import CASH
from venue_protocol.orders import BUY, SELL, Side
from venue_protocol.settlement import SettlementKind, SettlementReport

_ENTERS_OR_LEAVES = frozenset({"deposit", "withdrawal", "issue"})
_KINDS_OF_THEIR_OWN = frozenset(get_args(SettlementKind)) - _ENTERS_OR_LEAVES
"""Kinds of transfers that their reports name; the others say which way it went."""


class SealedReport(NamedTuple):
    """A report as it is stored and published; nothing encodes it again."""

    sequence: int
    """Venue-wide, gap-free."""
    client_id: str
    client_sequence: int
    """Gap-free per client."""
    encoded: bytes
    """JSON with the hash as its last field."""


class ReportWriter:
    """Writes reports in sequence and moves each client's chain on."""

    def __init__(self, ledger: Ledger, chains: dict[str, ReportChain], last_sequence: int) -> None:
        self._ledger = ledger
        self.chains = chains
        self.last_sequence = last_sequence
        self.sealed: list[SealedReport] = []

    def traded(self, journal: Journal, trade: Trade, fees_e4: tuple[int, int] = (0, 0)) -> None:
        """A settled trade: one report to the buyer, one to the seller, each with its fee."""
        cash_e4, shares = trade.price_e4 * trade.quantity, trade.quantity
        time_us, number = journal.time_us, journal.journal_id
        paid_e4, kept_e4 = fees_e4
        self._fill(trade, BUY, time_us, number, -cash_e4 - paid_e4, shares, fee_e4=paid_e4)
        self._fill(trade, SELL, time_us, number, cash_e4 - kept_e4, -shares, fee_e4=kept_e4)

    def failed(self, trade: Trade, time_us: int, reason: str) -> None:
        """A trade that could not be settled: both sides are told, nothing moved."""
        for side in (BUY, SELL):
            self._fill(trade, side, time_us, 0, 0, 0, kind="failed_trade", memo=reason)

    def charged(self, journal: Journal, leg: Leg, security_id: str, cycle: int) -> None:
        """What a fail cost a client, or brought the one who waits."""
        self.netted(journal, leg, cycle, 0, f"fail to deliver {security_id}")

    def netted(
        self, journal: Journal, leg: Leg, cycle: int, open_shares: int, memo: str | None = None
    ) -> None:
        """What a cycle settled for one member in one asset. What it has does not change by that:
        the trades have counted already. Only a charge changes it.
        """
        is_charge = journal.kind == "fails_charge"
        is_cash = leg.asset == CASH
        chain = self._next_of(leg.client_id)
        self._seal(
            chain,
            SettlementReport(
                sequence=self.last_sequence,
                client_id=leg.client_id,
                client_sequence=chain.count,
                settlement_kind="fails_charge" if is_charge else "net_settlement",
                journal_id=journal.journal_id,
                cash_e4=leg.amount if is_charge else 0,
                shares=0,
                balance_e4=self._ledger.position(leg.client_id, CASH).quantity,
                time_us=journal.time_us,
                previous_hash=chain.hash,
                security_id=None if is_cash else leg.asset,
                holding=None if is_cash else self._ledger.position(*leg[:2]).quantity,
                settlement_cycle=cycle,
                settled_cash_e4=leg.amount if is_cash and not is_charge else 0,
                settled_shares=0 if is_cash else leg.amount,
                open_shares=open_shares,
                memo=memo,
            ),
        )

    def corrected(self, journal: Journal, correction: Correction) -> None:
        """A bust or correction: both sides are told which trade it was, and what moved."""
        for side in SIDES:
            cash_e4, shares = correction.moved(side)
            self._fill(
                correction.trade,
                side,
                journal.time_us,
                journal.journal_id,
                cash_e4,
                shares,
                correction.kind,
                correction.memo,
            )

    def transferred(self, journal: Journal, leg: Leg, memo: str | None) -> None:
        """A deposit, withdrawal, issue or fine, seen from the account of `leg`."""
        kind: SettlementKind = "deposit" if leg.amount > 0 else "withdrawal"
        if journal.kind in _KINDS_OF_THEIR_OWN:
            kind = cast(SettlementKind, journal.kind)
        is_cash = leg.asset == CASH
        chain = self._next_of(leg.client_id)
        self._seal(
            chain,
            SettlementReport(
                sequence=self.last_sequence,
                client_id=leg.client_id,
                client_sequence=chain.count,
                settlement_kind=kind,
                journal_id=journal.journal_id,
                cash_e4=leg.amount if is_cash else 0,
                shares=0 if is_cash else leg.amount,
                balance_e4=self._ledger.position(leg.client_id, CASH).quantity,
                time_us=journal.time_us,
                previous_hash=chain.hash,
                security_id=None if is_cash else leg.asset,
                holding=None if is_cash else self._ledger.position(*leg[:2]).quantity,
                memo=memo,
            ),
        )

    def acted(
        self,
        kind: SettlementKind,
        journal: Journal,
        client_id: str,
        security_id: str,
        memo: str,
        with_cash: bool,
    ) -> None:
        """One holder's part of a corporate action: what it changed of these shares, and of cash."""
        own = [leg for leg in journal.legs if leg.client_id == client_id]
        chain = self._next_of(client_id)
        self._seal(
            chain,
            SettlementReport(
                sequence=self.last_sequence,
                client_id=client_id,
                client_sequence=chain.count,
                settlement_kind=kind,
                journal_id=journal.journal_id,
                cash_e4=sum(leg.amount for leg in own if leg.asset == CASH) if with_cash else 0,
                shares=sum(leg.amount for leg in own if leg.asset == security_id),
                balance_e4=self._ledger.position(client_id, CASH).quantity,
                time_us=journal.time_us,
                previous_hash=chain.hash,
                security_id=security_id,
                holding=self._ledger.position(client_id, security_id).quantity,
                memo=memo,
            ),
        )

    def _fill(
        self,
        trade: Trade | SettledTrade,
        side: Side,
        time_us: int,
        journal_id: int,
        cash_e4: int,
        shares: int,
        kind: SettlementKind = "trade",
        memo: str | None = None,
        fee_e4: int = 0,
    ) -> None:
        """The report to one side; `cash_e4` and `shares` are what its accounts changed by."""
        bought = side == BUY
        client_id = trade.buy_client_id if bought else trade.sell_client_id
        chain = self._next_of(client_id)
        self._seal(
            chain,
            SettlementReport(
                sequence=self.last_sequence,
                client_id=client_id,
                client_sequence=chain.count,
                settlement_kind=kind,
                journal_id=journal_id,
                cash_e4=cash_e4,
                shares=shares,
                balance_e4=self._ledger.position(client_id, CASH).quantity,
                time_us=time_us,
                previous_hash=chain.hash,
                security_id=trade.security_id,
                holding=self._ledger.position(client_id, trade.security_id).quantity,
                trade_id=trade.trade_id,
                order_id=trade.buy_order_id if bought else trade.sell_order_id,
                side=side,
                quantity=trade.quantity,
                price_e4=trade.price_e4,
                memo=memo,
                fee_e4=fee_e4,
                settlement_cycle=trade.settlement_cycle,
            ),
        )

    def _next_of(self, client_id: str) -> ReportChain:
        """The client's chain with the next numbers drawn; its hash is still that of the report
        before, which the new report needs.
        """
        chain = self.chains.get(client_id)
        if chain is None:
            chain = self.chains[client_id] = ReportChain()
        self.last_sequence += 1
        chain.count += 1
        return chain

    def _seal(self, chain: ReportChain, report: SettlementReport) -> None:
        bare = codec.encode(report)
        chain.hash = hashlib.sha256(bare).hexdigest()
        # The hash is the last field and is left out while empty, so the sealed text is the bare one
        # plus the hash.
        encoded = b'%b,"hash":"%b"}' % (bare[:-1], chain.hash.encode())
        self.sealed.append(
            SealedReport(report.sequence, report.client_id, report.client_sequence, encoded)
        )
