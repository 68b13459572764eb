"""Settlement reports of one client, chained as the clearinghouse chains them, made by few words."""

from typing import Any

import msgspec

from venue_protocol.settlement import GENESIS_HASH, SettlementReport, report_hash


class ReportHistory:
    """Ann's reports. Each method adds one, `step` microseconds after the one before."""

    def __init__(self, step_us: int = 1_000_000) -> None:
        self.reports: list[SettlementReport] = []
        self.cash_e4 = 0
        self.holdings: dict[str, int] = {}
        self._step_us = step_us
        self._hash = GENESIS_HASH

    def add(self, kind: str, cash_e4: int = 0, shares: int = 0, **fields: Any) -> SettlementReport:
        """A report of any kind."""
        security = fields.get("security_id")
        self.cash_e4 += cash_e4
        if security is not None:
            self.holdings[security] = self.holdings.get(security, 0) + shares
            fields.setdefault("holding", self.holdings[security])
        number = len(self.reports) + 1
        bare = SettlementReport(
            sequence=10 * number,
            client_id="ann",
            client_sequence=number,
            settlement_kind=kind,  # type: ignore[arg-type]
            journal_id=fields.pop("journal_id", 100 + number),
            cash_e4=cash_e4,
            shares=shares,
            balance_e4=self.cash_e4,
            time_us=fields.pop("time_us", number * self._step_us),
            previous_hash=self._hash,
            **fields,
        )
        self._hash = report_hash(bare)
        self.reports.append(msgspec.structs.replace(bare, hash=self._hash))
        return self.reports[-1]

    def deposit(self, cash_e4: int) -> None:
        """Cash from outside; below zero to there."""
        self.add("deposit" if cash_e4 > 0 else "withdrawal", cash_e4)

    def give(self, security: str, shares: int) -> None:
        """Shares from the issuer; below zero to it."""
        kind = "deposit" if shares > 0 else "withdrawal"
        self.add(kind, 0, shares, security_id=security)

    def trade(
        self, side: str, security: str, quantity: int, price_e4: int, fee_e4: int = 0
    ) -> SettlementReport:
        """A fill, numbered by the report."""
        sign = 1 if side == "BUY" else -1
        return self.add(
            "trade",
            -sign * quantity * price_e4 - fee_e4,
            sign * quantity,
            security_id=security,
            side=side,
            quantity=quantity,
            price_e4=price_e4,
            trade_id=1_000 + len(self.reports),
            order_id=7,
        )

    def buy(self, security: str, quantity: int, price_e4: int, fee_e4: int = 0) -> SettlementReport:
        """A purchase."""
        return self.trade("BUY", security, quantity, price_e4, fee_e4)

    def sell(
        self, security: str, quantity: int, price_e4: int, fee_e4: int = 0
    ) -> SettlementReport:
        """A sale."""
        return self.trade("SELL", security, quantity, price_e4, fee_e4)

    def bust(self, trade: SettlementReport, cash_e4: int | None = None) -> None:
        """The trade is taken back, with its fee."""
        back_e4 = -trade.cash_e4 if cash_e4 is None else cash_e4
        self.add(
            "bust",
            back_e4,
            -trade.shares,
            security_id=trade.security_id,
            trade_id=trade.trade_id,
            memo="bust",
        )
