"""Loans follow the corporate actions of their security, before anything else happens to them.

An action takes effect in settlement, for all who hold shares. What is owed to the pool follows in a
step of its own, soon after and at the latest before the loan changes in another way: each event of
a loan stands in shares of its time. What a close-out had bought by then, the action itself has
given to the pool.
"""

from clearinghouse.lending.close_out import CloseOut, finish
from clearinghouse.lending.loan_step import LoanStep
from clearinghouse.loan_ports import LoanBook
from venue_protocol import loan_actions
from venue_protocol.corporate_actions import CashDividend, Delisting, Split, SymbolChange
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.stock_loans import EventKind, StockLoan

_KINDS: dict[type, EventKind] = {
    Split: "split",
    CashDividend: "ex_dividend",
    SymbolChange: "symbol_change",
    Delisting: "delisting",
}


def is_behind(book: LoanBook, loan: StockLoan) -> bool:
    """Whether the loan has an action to follow."""
    return book.newest_action_us([loan.security_id]) > loan.followed_us


def is_due(book: LoanBook, loan: StockLoan) -> bool:
    """Whether an action is to be followed, or a dividend that was paid."""
    return is_behind(book, loan) or bool(_paid(book, loan))


def symbols_after(book: LoanBook, security_id: str) -> list[str]:
    """The symbol and those that the security has got since, the newest last."""
    names = [security_id]
    while (known := book.security(names[-1])) is not None and known.successor is not None:
        names.append(known.successor)
    return names


def follow(step: LoanStep) -> bool:
    """Follow all actions and pay what is due by them; False if an order of the close-out must be
    settled first.
    """
    book = step.book
    if is_behind(book, step.loan) and not CloseOut().take_fills(step, is_swept=True):
        return False
    loan = step.loan
    while not loan.is_over and (actions := book.actions([loan.security_id], loan.followed_us)):
        # What took effect together is followed together; a new symbol has actions of its own.
        for applied in actions:
            if applied.time_us == actions[0].time_us and not step.loan.is_over:
                _follow(step, applied)
        loan = step.loan
    if step.loan.order is None:
        step.pay_dividends(_paid(book, step.loan))
    return True


def _follow(step: LoanStep, applied: AppliedAction) -> None:
    if isinstance(applied.action, Delisting) and step.loan.stage == "closing":
        finish(step)
    after, owed_e4, memo = loan_actions.follow(step.loan, applied)
    kind = _KINDS[type(applied.action)]
    if owed_e4 or after.collateral_e4 != step.loan.collateral_e4:
        step.pay_lender(kind, after, owed_e4, "loan_return", memo, applied.action_id)
    else:
        step.notice(kind, after, memo, applied.action_id)
    step.end()


def _paid(book: LoanBook, loan: StockLoan) -> list[str]:
    """Its dividends that the issuer has paid."""
    if not loan.dividends_e4:
        return []
    paid = book.paid_dividends(map(int, loan.dividends_e4))
    return [name for name in loan.dividends_e4 if int(name) in paid]
