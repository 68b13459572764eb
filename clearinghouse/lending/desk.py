"""Borrowing shares from the lender's pool and giving them back, each in one transaction."""

from clearinghouse.administration import Receipt
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import LENDER, VENUE_ACCOUNTS
from clearinghouse.handlers import SettlementDesk
from clearinghouse.lending.client_loans import ClientLoans
from clearinghouse.lending.marks import MarginMarks
from clearinghouse.loan_ports import LoanBook
from clearinghouse.ports import LedgerTransaction
from service_runtime.clock import Clock
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import BASIS_POINTS, Security
from venue_protocol.stock_loans import (
    MarginRules,
    StockLoan,
    borrowed,
    returned,
)


class LoanDesk:
    """Where clients borrow and return. Refusals are raised as `Refused`."""

    def __init__(self, desk: SettlementDesk, clock: Clock, marks: MarginMarks) -> None:
        self._desk = desk
        self._clock = clock
        self._marks = marks

    def borrow(self, client_id: str, security_id: str, quantity: int, key: str) -> Receipt:
        """Lend the client shares of the pool against cash that is held from now on.

        The same key again does nothing. Refused unless the client may borrow, the pool has the
        shares, and the client has the cash for the whole loan at the mark of now.
        """
        legs = (Leg(LENDER, security_id, -quantity), Leg(client_id, security_id, quantity))
        reference = f"loan:{client_id}:{key}"

        def work(transaction: LedgerTransaction) -> tuple[Receipt, Settlement | None]:
            done = done_before(transaction, reference, legs)
            if done is not None:
                return done, None
            book = transaction.loans
            security = _listed(book, security_id, quantity)
            rules = book.rules()
            _require_allowed(book, rules, client_id)
            now_us = self._clock.now_us()
            opened = ClientLoans(transaction, self._marks, client_id, security, now_us)
            settlement, mark_e4 = opened.settlement, opened.mark_e4
            before = opened.loan(security_id) or StockLoan(
                client_id, security_id, followed_us=opened.acted_us
            )
            if before.call_kind is not None or before.stage != "open":
                raise refuse(
                    RejectReason.LOAN_CALLED,
                    f"the loan of {security_id} is called: return shares or bring cash first",
                    "security",
                )
            _require_in_pool(settlement, book, rules, before, security, quantity)
            after = borrowed(before, quantity, mark_e4, rules, now_us)
            _hold(settlement, before, after)
            _move(settlement, "stock_loan", now_us, legs, reference)
            journal_id = settlement.last_journal_id
            opened.note("borrow", after)
            opened.write()
            return Receipt(journal_id, False), settlement

        return self._desk.move(work)

    def return_shares(self, client_id: str, security_id: str, quantity: int, key: str) -> Receipt:
        """Give borrowed shares back and free what was held for them.

        The same key again does nothing. Refused for more than is borrowed, for shares that an
        order holds, and while the clearinghouse buys the loan back itself. With the last shares,
        dividends are paid that went ex and are still owed.
        """
        legs = (Leg(client_id, security_id, -quantity), Leg(LENDER, security_id, quantity))
        reference = f"return:{client_id}:{key}"

        def work(transaction: LedgerTransaction) -> tuple[Receipt, Settlement | None]:
            done = done_before(transaction, reference, legs)
            if done is not None:
                return done, None
            now_us = self._clock.now_us()
            security = _known(transaction.loans, security_id)
            opened = ClientLoans(transaction, self._marks, client_id, security, now_us)
            settlement = opened.settlement
            before = _returnable(opened.loan(security_id), security, quantity)
            after = returned(before, quantity, opened.mark_e4, opened.rules)
            _hold(settlement, before, after)
            _move(settlement, "loan_return", now_us, legs, reference)
            journal_id = settlement.last_journal_id
            opened.note("return", after)
            if not after.quantity:
                _require_dividends(settlement, after)
                opened.step(after).end()
            opened.write()
            return Receipt(journal_id, False), settlement

        return self._desk.move(work)


def done_before(
    transaction: LedgerTransaction, reference: str, legs: tuple[Leg, ...]
) -> Receipt | None:
    """The receipt of what was done under this reference; Refused if that was something else."""
    done = transaction.transfer(reference)
    if done is None:
        return None
    if done.legs != legs:
        raise refuse(
            RejectReason.IDEMPOTENCY_KEY_REUSED, "this Idempotency-Key stands for another request"
        )
    return Receipt(done.journal_id, True)


def _known(book: LoanBook, security_id: str) -> Security:
    security = book.security(security_id)
    if security is None:
        raise refuse(RejectReason.UNKNOWN_SECURITY, f"no security {security_id[:64]!r}", "security")
    refusal = security.refuse_delisted()
    if refusal is not None:
        raise refuse(refusal.reason, refusal.message, refusal.field)
    return security


def _listed(book: LoanBook, security_id: str, quantity: int) -> Security:
    security = _known(book, security_id)
    refusal = security.refuse_quantity(quantity)
    if refusal is not None:
        raise refuse(refusal.reason, refusal.message, refusal.field)
    return security


def _require_allowed(book: LoanBook, rules: MarginRules, client_id: str) -> None:
    decided = book.may_borrow(client_id)
    is_allowed = rules.is_open if decided is None else decided
    if not is_allowed or client_id in VENUE_ACCOUNTS:
        raise refuse(
            RejectReason.LOAN_NOT_ALLOWED,
            f"{client_id} may not borrow shares: an administrator allows it",
        )


def _require_in_pool(
    settlement: Settlement,
    book: LoanBook,
    rules: MarginRules,
    loan: StockLoan,
    security: Security,
    quantity: int,
) -> None:
    """Refuse what the pool has not, and what would give one client more than its part of it."""
    pool = settlement.ledger.position(LENDER, security.security_id)
    available = pool.quantity - pool.held
    whole = pool.quantity + book.lent(security.security_id)
    most = whole * rules.pool_bps // BASIS_POINTS - loan.quantity
    can = max(0, min(available, most)) // security.lot * security.lot
    if quantity > can:
        raise refuse(
            RejectReason.LOAN_UNAVAILABLE,
            f"{quantity} shares of {security.security_id} can't be borrowed: {can} can",
            "quantity",
            needed=quantity,
            available=can,
        )


def _returnable(loan: StockLoan | None, security: Security, quantity: int) -> StockLoan:
    """The loan, if so much of it can be returned: whole lots, or all of it, for a split can leave
    less than a lot.
    """
    security_id = security.security_id
    if loan is None:
        raise refuse(RejectReason.UNKNOWN_LOAN, f"no loan of {security_id}", "security")
    if loan.stage == "closing":
        raise refuse(
            RejectReason.LOAN_CLOSING,
            f"the clearinghouse is buying the loan of {security_id} back",
            "security",
        )
    if quantity > loan.quantity:
        raise refuse(
            RejectReason.QUANTITY_TOO_LARGE,
            f"{quantity} is more than the {loan.quantity} shares borrowed",
            "quantity",
        )
    refusal = security.refuse_quantity(quantity)
    if refusal is not None and quantity != loan.quantity:
        raise refuse(refusal.reason, refusal.message, refusal.field)
    return loan


def _require_dividends(settlement: Settlement, loan: StockLoan) -> None:
    """Refuse to end a loan whose client can't pay the dividends that it owes."""
    owed_e4 = sum(loan.dividends_e4.values())
    cash = settlement.ledger.position(loan.client_id, CASH)
    available_e4 = cash.quantity - cash.held
    if owed_e4 > available_e4:
        raise refuse(
            RejectReason.INSUFFICIENT_FUNDS,
            f"{format_e4(owed_e4)} of dividends are owed on the shares,"
            f" available is {format_e4(available_e4)}",
            "quantity",
            needed=format_e4(owed_e4),
            available=format_e4(available_e4),
        )


def _hold(settlement: Settlement, before: StockLoan, after: StockLoan) -> None:
    """Hold the collateral of `after` instead of that of `before`, or refuse with the numbers."""
    change = after.collateral_e4 - before.collateral_e4
    shortfall = settlement.ledger.hold(before.client_id, CASH, change)
    if shortfall is not None:
        available_e4 = shortfall.quantity - shortfall.held + change
        raise refuse(
            RejectReason.INSUFFICIENT_FUNDS,
            f"the loan needs {format_e4(change)} of collateral,"
            f" available is {format_e4(available_e4)}",
            "quantity",
            needed=format_e4(change),
            available=format_e4(available_e4),
        )


def _move(
    settlement: Settlement, kind: str, now_us: int, legs: tuple[Leg, ...], reference: str
) -> None:
    shortfall = settlement.transfer(kind, now_us, legs, reference)
    if shortfall is not None:
        raise refuse(RejectReason.INSUFFICIENT_SHARES, str(shortfall), "quantity")
