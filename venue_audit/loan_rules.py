"""The loan that each event must leave, made again from the loan before it.

What only the accounts of that moment knew (how much cash was free, what an order's fills cost) is
taken from the event or its journal, within what the rules allow; everything else is computed.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from clearinghouse.domain.venue_accounts import LENDER
from venue_protocol import default_waterfall, loan_actions, stock_loans
from venue_protocol.holds import CASH
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.settlement import CLOSE_OUT
from venue_protocol.stock_loans import (
    LoanEvent,
    StockLoan,
    borrowed,
    returned,
)


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
    ) -> "Moved":
        """From a journal's row; nothing without one."""
        moved: dict[tuple[str, str], int] = {}
        for account, asset, amount in zip(
            accounts or (), assets or (), amounts or (), strict=False
        ):
            moved[account, asset] = moved.get((account, asset), 0) + amount
        return cls(kind or "", moved)

    def got(self, account: str, asset: str, kind: str) -> int:
        """What an account got, if the journal is of this kind."""
        return self.amounts.get((account, asset), 0) if self.kind == kind else 0


class _Step(NamedTuple):
    """An event between two states of its loan."""

    before: StockLoan
    event: LoanEvent
    time_us: int
    moved: Moved
    applied: AppliedAction | None
    """The action that the loan has to follow now."""
    paid: frozenset[int]
    """Dividends that the issuer has paid."""

    def changed(self, **fields: object) -> StockLoan:
        return msgspec.structs.replace(self.before, **fields)

    def came_back(self) -> int:
        """Shares that the pool got."""
        return self.moved.got(LENDER, self.before.security_id, "loan_return")


def expected_after(
    before: StockLoan,
    event: LoanEvent,
    number: int,
    time_us: int,
    moved: Moved,
    applied: AppliedAction | None,
    paid: frozenset[int],
) -> StockLoan:
    """The loan that this event must leave."""
    step = _Step(before, event, time_us, moved, applied, paid)
    if event.kind == "order":
        return _ordered(step, f"close-out-{number}")
    return _RULES[event.kind](step)


def _lent(step: _Step) -> StockLoan:
    quantity = -step.moved.got(LENDER, step.before.security_id, "stock_loan")
    return borrowed(step.before, quantity, step.event.mark_e4, step.event.rules, step.time_us)


def _returned(step: _Step) -> StockLoan:
    return returned(step.before, step.came_back(), step.event.mark_e4, step.event.rules)


def _charged(step: _Step) -> StockLoan:
    """The journal has the fee, unless the client had less; then nothing is left of its cash."""
    fee_e4, until_us = stock_loans.fee_due_e4(
        step.before, step.event.mark_e4, step.event.rules, step.time_us
    )
    paid_e4 = step.moved.got(LENDER, CASH, "loan_fee")
    left_e4 = step.event.loan.collateral_e4
    is_right = paid_e4 == fee_e4 or (paid_e4 < fee_e4 and not left_e4)
    least_e4 = max(0, step.before.collateral_e4 - paid_e4)
    is_right = is_right and least_e4 <= left_e4 <= step.before.collateral_e4
    return step.changed(
        charged_us=until_us if is_right else step.before.charged_us,
        collateral_e4=left_e4 if is_right else step.before.collateral_e4 - fee_e4,
    )


def _followed(step: _Step) -> StockLoan:
    """As far as the event says that there was free cash."""
    free_e4 = max(0, step.event.loan.collateral_e4 - step.before.collateral_e4)
    return stock_loans.followed(step.before, free_e4, step.event.mark_e4, step.event.rules)


def _called(step: _Step) -> StockLoan:
    return stock_loans.called(step.before, step.event.mark_e4, step.event.rules, step.time_us)


def _recalled(step: _Step) -> StockLoan:
    due_us = step.time_us + step.event.rules.call_us
    return stock_loans.recalled(step.before, step.event.loan.recalled, due_us)


def _canceling(step: _Step) -> StockLoan:
    """Not before the call's time was over."""
    if not stock_loans.overdue(step.before, step.time_us):
        return step.before
    return stock_loans.canceling(step.before, step.time_us)


def _closing(step: _Step) -> StockLoan:
    if step.before.stage != "canceling" or not stock_loans.overdue(step.before, step.time_us):
        return step.before
    after = default_waterfall.closing(step.before, step.event.mark_e4, step.event.rules)
    moved_e4 = step.moved.got(CLOSE_OUT, CASH, "close_out")
    return msgspec.structs.replace(after, pot_e4=moved_e4)


def _ordered(step: _Step, name: str) -> StockLoan:
    """Whose money came, the event says; how much, the journal."""
    drawn_e4 = step.moved.got(CLOSE_OUT, CASH, "close_out")
    told = step.event.loan.used_e4
    is_right = sum(told.values()) - sum(step.before.used_e4.values()) == drawn_e4
    return step.changed(
        pot_e4=step.before.pot_e4 + drawn_e4,
        used_e4=told if is_right else step.before.used_e4,
        attempt=step.before.attempt + 1,
        order=name,
        ordered_us=step.time_us,
        reports_before=step.event.loan.reports_before,
    )


def _withdrawn(step: _Step) -> StockLoan:
    return step.changed(order=None, attempt=step.before.attempt - 1)


def _bought(step: _Step) -> StockLoan:
    """What it cost, the account `close_out` must show at the end; here no more than there was."""
    back, paid_e4 = step.came_back(), step.before.pot_e4 - step.event.loan.pot_e4
    is_paid = 0 < paid_e4 <= step.before.pot_e4 if back else paid_e4 == 0
    return step.changed(
        order=None,
        quantity=step.before.quantity - back,
        recalled=step.before.recalled - back,
        pot_e4=step.event.loan.pot_e4 if is_paid else step.before.pot_e4,
    )


def _taken(step: _Step) -> StockLoan:
    back = step.came_back()
    return step.changed(quantity=step.before.quantity - back, recalled=step.before.recalled - back)


def _closed(step: _Step) -> StockLoan:
    """All that is left of the pot went back."""
    back_e4 = -step.moved.got(CLOSE_OUT, CASH, "close_out")
    return step.changed(
        stage="open",
        call_kind=None,
        call_due_us=None,
        pot_e4=step.before.pot_e4 - back_e4,
        used_e4={},
        attempt=0,
        ordered_us=0,
        reports_before=0,
    )


def _acted(step: _Step) -> StockLoan:
    """The next action, and no other, followed."""
    if step.applied is None or step.applied.action_id != step.event.action_id:
        return step.before
    after, owed_e4, _ = loan_actions.follow(step.before, step.applied)
    return _paid_lender(step, after, owed_e4, "loan_return")


def _dividend_paid(step: _Step) -> StockLoan:
    """Dividends that the issuer paid; those of a loan that is over at once."""
    names = [
        name
        for name in step.before.dividends_e4
        if name not in step.event.loan.dividends_e4
        and (int(name) in step.paid or not step.before.quantity)
    ]
    owed_e4 = sum(step.before.dividends_e4[name] for name in names)
    after = loan_actions.without_dividends(step.before, names)
    return _paid_lender(step, after, owed_e4, "loan_fee")


def _paid_lender(step: _Step, after: StockLoan, owed_e4: int, kind: str) -> StockLoan:
    """The lender has got all, unless nothing is left that is held for it; what was free then, the
    event says.
    """
    from_pot_e4 = min(owed_e4, after.pot_e4)
    paid_e4 = step.moved.got(LENDER, CASH, kind)
    own_e4 = -step.moved.got(after.client_id, CASH, kind)
    left_e4 = step.event.loan.collateral_e4
    is_right = paid_e4 == owed_e4 or (paid_e4 < owed_e4 and not left_e4)
    is_right = is_right and step.moved.got(CLOSE_OUT, CASH, kind) == -from_pot_e4
    is_right = is_right and max(0, after.collateral_e4 - own_e4) <= left_e4 <= after.collateral_e4
    return msgspec.structs.replace(
        after,
        pot_e4=after.pot_e4 - from_pot_e4,
        collateral_e4=left_e4 if is_right else after.collateral_e4 - owed_e4,
    )


_RULES: dict[str, Callable[[_Step], StockLoan]] = {
    "borrow": _lent,
    "return": _returned,
    "fee": _charged,
    "collateral": _followed,
    "call": _called,
    "call_ended": _called,
    "recall": _recalled,
    "canceling": _canceling,
    "closing": _closing,
    "withdrawn": _withdrawn,
    "bought": _bought,
    "taken": _taken,
    "closed": _closed,
    "split": _acted,
    "ex_dividend": _acted,
    "symbol_change": _acted,
    "delisting": _acted,
    "dividend": _dividend_paid,
}
"""One rule for each kind of event but `order`, which names itself by the event's number."""
