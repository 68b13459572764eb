"""The loan that each event must leave, made again from the loan before it."""

from collections.abc import Sequence
from typing import NamedTuple

from clearinghouse.domain.stock_loans import (
    LoanEvent,
    StockLoan,
    borrowed,
    returned,
)
from clearinghouse.domain.venue_accounts import LENDER


class Moved(NamedTuple):
    """What the journal of an event moved: amounts by account and asset."""

    kind: str
    amounts: dict[tuple[str, str], int]

    @classmethod
    def of(
        cls,
        kind: str | None,
        accounts: Sequence[str] | None,
        assets: Sequence[str] | None,
        amounts: Sequence[int] | None,
    ) -> "Moved | None":
        """From a journal's row; None without one."""
        if kind is None or accounts is None or assets is None or amounts is None:
            return None
        moved: dict[tuple[str, str], int] = {}
        for account, asset, amount in zip(accounts, assets, amounts, strict=False):
            moved[account, asset] = moved.get((account, asset), 0) + amount
        return cls(kind, moved)

    def lent(self, security_id: str) -> int:
        """Shares that left the pool, negative for those that came back."""
        return -self.amounts.get((LENDER, security_id), 0)


def expected_after(
    before: StockLoan, event: LoanEvent, time_us: int, moved: Moved | None
) -> StockLoan:
    """The loan that this event must leave."""
    rule = _RULES.get(event.kind)
    return rule(before, event, time_us, moved) if rule is not None else event.loan


def _lent(before: StockLoan, event: LoanEvent, time_us: int, moved: Moved | None) -> StockLoan:
    quantity = moved.lent(before.security_id) if moved and moved.kind == "stock_loan" else 0
    return borrowed(before, quantity, event.mark_e4, event.rules, time_us)


def _given_back(
    before: StockLoan, event: LoanEvent, time_us: int, moved: Moved | None
) -> StockLoan:
    quantity = -moved.lent(before.security_id) if moved and moved.kind == "loan_return" else 0
    return returned(before, quantity, event.mark_e4, event.rules)


_RULES = {"borrow": _lent, "return": _given_back}
