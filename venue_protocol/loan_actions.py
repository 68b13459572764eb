"""What a corporate action makes of a stock loan: as the shares in the pool change, so does what is
owed to it.

An example: Ann owes 5 AAPL. A split 3 for 2 at $33.3333 a new share leaves 7 to return, and half a
share is paid with $16.6666. A dividend of $0.25 goes ex then: on its pay date Ann owes $1.75, what
the pool would have got for the 7. Delisted at $30.00, the loan ends and Ann owes $210.00, and the
dividend at once if it is not paid yet.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Split,
    SymbolChange,
    reference_after_e4,
)
from venue_protocol.money import format_e4
from venue_protocol.stock_loans import StockLoan


class AppliedAction(NamedTuple):
    """An action that took effect. Of one security their times differ, but for dividends that went
    ex together; then `action_id` says which came first.
    """

    time_us: int
    action_id: int
    security_id: str
    action: CorporateAction


class Followed(NamedTuple):
    """A loan after an action, and what its client owes the lender at once."""

    loan: StockLoan
    owed_e4: int
    memo: str


def follow(loan: StockLoan, applied: AppliedAction) -> Followed:
    """The loan after the next action of its security."""
    action, name, before = applied.action, loan.security_id, loan.quantity
    loan = msgspec.structs.replace(loan, followed_us=applied.time_us)
    if isinstance(action, Split):
        after = msgspec.structs.replace(
            loan, quantity=action.shares(before), recalled=action.shares(loan.recalled)
        )
        memo = f"split {action.new_shares} for {action.old_shares}: {after.quantity} {name} owed"
        return Followed(_cured(after), action.cash_in_lieu_e4(before), memo)
    if isinstance(action, CashDividend):
        owed_e4 = before * action.per_share_e4
        dividends_e4 = loan.dividends_e4 | {str(applied.action_id): owed_e4}
        memo = f"dividend {format_e4(action.per_share_e4)} on {before} {name} owed on the pay date"
        return Followed(msgspec.structs.replace(loan, dividends_e4=dividends_e4), 0, memo)
    if isinstance(action, SymbolChange):
        after = msgspec.structs.replace(loan, security_id=action.new_security_id)
        return Followed(after, 0, f"{name} is {action.new_security_id} now")
    price_e4 = action.share_price_e4
    after = msgspec.structs.replace(loan, quantity=0, recalled=0)
    memo = f"{before} {name} delisted at {format_e4(price_e4)}"
    return Followed(_cured(after), before * price_e4, memo)


def without_dividends(loan: StockLoan, paid: Iterable[str]) -> StockLoan:
    """The loan that owes these dividends no more."""
    left_e4 = {name: owed for name, owed in loan.dividends_e4.items() if name not in set(paid)}
    return msgspec.structs.replace(loan, dividends_e4=left_e4)


def mark_after_e4(mark_e4: int, actions: Iterable[AppliedAction], tick_e4: int) -> int:
    """A mark from before these actions, in shares of now: it follows them as the listed reference
    price does.

    An example: $151.01 in a split 2 for 1 is $75.50.
    """
    for applied in actions:
        mark_e4 = reference_after_e4(applied.action, mark_e4, tick_e4)
    return mark_e4


def _cured(loan: StockLoan) -> StockLoan:
    """Without shares the loan is over; without shares recalled a recall is. A close-out that has
    begun ends by itself.
    """
    if loan.stage == "closing":
        return loan
    is_over = not loan.quantity
    if not is_over and (loan.call_kind != "recall" or loan.recalled):
        return loan
    return msgspec.structs.replace(
        loan,
        collateral_e4=0 if is_over else loan.collateral_e4,
        stage="open",
        call_kind=None,
        call_due_us=None,
    )
