"""Settlement reports: one for each client of a movement, numbered, chained by hash, encoded
once.
"""

import hashlib
from typing import NamedTuple

from clearinghouse.domain.ledger import Journal, Ledger, Leg, ReportChain
from venue_protocol import codec
from venue_protocol.events import Trade
from venue_protocol.holds import CASH
from venue_protocol.orders import BUY, SELL, Side
from venue_protocol.settlement import SettlementKind, SettlementReport


class SealedReport(NamedTuple):
    """A report as it is stored and published; nothing encodes it again."""

    sequence: int
    client_id: str
    client_sequence: int
    encoded: bytes


class ReportWriter:
    """Writes reports in sequence and moves each client's chain on."""

    def __init__(self, ledger: Ledger, chains: dict[str, ReportChain], last_sequence: int) -> None:
        self._ledger = ledger
        self.chains = chains
        self.last_sequence = last_sequence
        self.sealed: list[SealedReport] = []

    def traded(self, journal: Journal, trade: Trade) -> None:
        """A settled trade: one report to the buyer, one to the seller."""
        cash_e4 = trade.price_e4 * trade.quantity
        self._fill(
            trade, BUY, "trade", journal.time_us, journal.journal_id, -cash_e4, trade.quantity, None
        )
        self._fill(
            trade,
            SELL,
            "trade",
            journal.time_us,
            journal.journal_id,
            cash_e4,
            -trade.quantity,
            None,
        )

    def failed(self, trade: Trade, time_us: int, reason: str) -> None:
        """A trade that could not be settled: both are told, nothing moved."""
        for side in (BUY, SELL):
            self._fill(trade, side, "failed_trade", time_us, 0, 0, 0, reason)

    def transferred(self, journal: Journal, leg: Leg, memo: str | None) -> None:
        """A deposit, withdrawal or issue, seen from the account of `leg`."""
        kind: SettlementKind = "deposit" if leg.amount > 0 else "withdrawal"
        is_cash = leg.asset == CASH
        chain = self._next_of(leg.client_id)
        self._seal(
            chain,
            SettlementReport(
                self.last_sequence,
                leg.client_id,
                chain.count,
                kind,
                journal.journal_id,
                leg.amount if is_cash else 0,
                0 if is_cash else leg.amount,
                self._ledger.position(leg.client_id, CASH).quantity,
                journal.time_us,
                chain.hash,
                None if is_cash else leg.asset,
                None if is_cash else self._ledger.position(leg.client_id, leg.asset).quantity,
                memo=memo,
            ),
        )

    def _fill(
        self,
        trade: Trade,
        side: Side,
        kind: SettlementKind,
        time_us: int,
        journal_id: int,
        cash_e4: int,
        shares: int,
        memo: str | None,
    ) -> None:
        bought = side == BUY
        client_id = trade.buy_client_id if bought else trade.sell_client_id
        chain = self._next_of(client_id)
        self._seal(
            chain,
            SettlementReport(
                self.last_sequence,
                client_id,
                chain.count,
                kind,
                journal_id,
                cash_e4,
                shares,
                self._ledger.position(client_id, CASH).quantity,
                time_us,
                chain.hash,
                trade.security_id,
                self._ledger.position(client_id, trade.security_id).quantity,
                trade.trade_id,
                trade.buy_order_id if bought else trade.sell_order_id,
                side,
                trade.quantity,
                trade.price_e4,
                memo,
            ),
        )

    def _next_of(self, client_id: str) -> ReportChain:
        """Draw the next number of the venue and of this client; its chain still ends at the report
        before.
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
