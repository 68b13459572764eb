"""What became of a client's money, in a few lines: paid in, bought, sold, earned; from its
settlement reports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from venue_protocol.money import format_e4
from venue_protocol.settlement import STARTING_POSITION, SettlementReport
from venue_protocol.statements.cost_basis import CostBasis, Move

CORRECTING_KINDS = ("bust", "correction", "fine")


@dataclass
class SecurityAccount:
    """What a client did in one security; shares and ten-thousandths of a dollar."""

    bought: int = 0
    paid_e4: int = 0
    sold: int = 0
    received_e4: int = 0
    given: int = 0
    holding: int = 0
    basis: CostBasis = field(default_factory=CostBasis)
    """The shares held and what they cost, by the rule of the statements."""

    @property
    def realised_e4(self) -> int:
        """The result of all sales."""
        return self.basis.realised_e4

    def buy(self, quantity: int, paid_e4: int) -> None:
        """Shares against cash."""
        self.bought += quantity
        self.paid_e4 += paid_e4
        self.holding += quantity
        self.basis.apply(Move(quantity, -paid_e4))

    def sell(self, quantity: int, received_e4: int) -> None:
        """The result is what came in less the average cost of what went out."""
        self.sold += quantity
        self.received_e4 += received_e4
        self.holding -= quantity
        self.basis.apply(Move(-quantity, received_e4))

    def give(self, quantity: int, price_e4: int) -> None:
        """Shares without a price: they count at the reference price. Below zero: taken away, at
        average cost.
        """
        is_known = 0 < -quantity <= self.basis.shares
        value_e4 = -self.basis.cost_of(-quantity) if is_known else quantity * price_e4
        self.given += quantity
        self.holding += quantity
        self.basis.apply(Move(quantity, -value_e4))


@dataclass
class AccountSummary:
    """The sums over a client's settlement reports."""

    starting_cash_e4: int = 0
    deposits_e4: int = 0
    """Cash after the start, less withdrawals."""
    fees_e4: int = 0
    """Of all trades, less rebates; results are before fees."""
    corrected_e4: int = 0
    """Cash of busts, corrections and fines."""
    trades: int = 0
    failed_trades: int = 0
    securities: dict[str, SecurityAccount] = field(default_factory=dict)

    @classmethod
    def of(
        cls, reports: Iterable[SettlementReport], reference_e4: Mapping[str, int]
    ) -> "AccountSummary":
        """The summary of all these reports, oldest first."""
        summary = cls()
        for report in reports:
            summary.take(report, reference_e4)
        return summary

    def take(self, report: SettlementReport, reference_e4: Mapping[str, int]) -> None:
        """Add one report."""
        if report.settlement_kind == "failed_trade":
            self.failed_trades += 1
            return
        if report.settlement_kind == "trade":
            self.trades += 1
            self._trade(report)
            return
        if report.memo == STARTING_POSITION:
            self.starting_cash_e4 += report.cash_e4
        elif report.settlement_kind in CORRECTING_KINDS:
            self.corrected_e4 += report.cash_e4
        else:
            self.deposits_e4 += report.cash_e4
        if report.security_id is not None:
            self._account(report.security_id).give(
                report.shares, reference_e4.get(report.security_id, 0)
            )

    def realised_e4(self) -> int:
        """The result of all sales, ten-thousandths of a dollar."""
        return sum(account.realised_e4 for account in self.securities.values())

    def lines(self) -> list[str]:
        """In words; amounts in dollars."""
        said = [
            f"  started with {format_e4(self.starting_cash_e4)}; deposits since "
            f"{format_e4(self.deposits_e4)}",
            f"  {self.trades} trades; realised result {_signed(self.realised_e4())} (at average "
            "cost)" + (f", before fees of {format_e4(self.fees_e4)}" if self.fees_e4 else ""),
        ]
        if self.corrected_e4:
            said.append(f"  busts, corrections and fines {_signed(self.corrected_e4)}")
        if self.failed_trades:
            said.append(f"  {self.failed_trades} trades COULD NOT BE SETTLED")
        for name, account in sorted(self.securities.items()):
            given = f"given {account.given}, " if account.given else ""
            bought = f"bought {account.bought} for {format_e4(account.paid_e4)}"
            sold = f"sold {account.sold} for {format_e4(account.received_e4)}"
            result = _signed(account.realised_e4)
            said.append(
                f"  {name:<8} {given}{bought}, {sold}, result {result}, now {account.holding}"
            )
        return said

    def as_json(self) -> dict[str, Any]:
        """The same for programs; money as decimal strings."""
        return {
            "starting_cash": format_e4(self.starting_cash_e4),
            "deposits": format_e4(self.deposits_e4),
            "corrected": format_e4(self.corrected_e4),
            "fees": format_e4(self.fees_e4),
            "trades": self.trades,
            "failed_trades": self.failed_trades,
            "realised": format_e4(self.realised_e4()),
            "securities": {
                name: {
                    "given": account.given,
                    "bought": account.bought,
                    "paid": format_e4(account.paid_e4),
                    "sold": account.sold,
                    "received": format_e4(account.received_e4),
                    "realised": format_e4(account.realised_e4),
                    "holding": account.holding,
                }
                for name, account in sorted(self.securities.items())
            },
        }

    def _trade(self, report: SettlementReport) -> None:
        account, gross_e4 = self._account(report.security_id or ""), report.cash_e4 + report.fee_e4
        self.fees_e4 += report.fee_e4
        if report.shares >= 0:
            account.buy(report.shares, -gross_e4)
        else:
            account.sell(-report.shares, gross_e4)

    def _account(self, security_id: str) -> SecurityAccount:
        return self.securities.setdefault(security_id, SecurityAccount())


def _signed(amount_e4: int) -> str:
    return f"{'+' if amount_e4 > 0 else ''}{format_e4(amount_e4)}"
