"""The margin run: fees, collateral that follows the mark, calls, and what follows a call not met.

Each loan has a transaction of its own, and what it does next follows from what is stored. So the
run may end at any moment; the next one goes on.
"""

import logging
import threading

from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import LENDER
from clearinghouse.handlers import SettlementDesk
from clearinghouse.lending import following
from clearinghouse.lending.close_out import CloseOut
from clearinghouse.lending.loan_step import LoanStep, positions
from clearinghouse.lending.marks import MarginMarks
from clearinghouse.ports import LedgerStore, LedgerTransaction
from service_runtime.clock import Clock
from service_runtime.database import DatabaseUnavailable
from venue_protocol import stock_loans
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4
from venue_protocol.stock_loans import EventKind, LoanEvent, MarginRules, StockLoan
from venue_protocol.times import format_utc

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Between two runs."""
_WITHDRAW_US = 10_000_000
"""An order that the door did not take for so long is made anew, at the mark of then."""


class MarginRun:
    """Looks at every loan, once a second."""

    def __init__(
        self,
        desk: SettlementDesk,
        store: LedgerStore,
        clock: Clock,
        marks: MarginMarks,
        stopping: threading.Event,
    ) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._marks = marks
        self._stopping = stopping
        self._close_out = CloseOut()

    def run(self) -> None:
        """Until the service stops."""
        while not self._stopping.wait(EVERY_S):
            try:
                self.step()
            except DatabaseUnavailable as error:
                log.warning("no margin run now", extra={"error": str(error)})

    def step(self) -> int:
        """One look at every loan; the number of events that followed."""
        with self._store.transaction() as transaction:
            loans = transaction.loans.loans()
            acting = {loan.key for loan in loans if following.is_due(transaction.loans, loan)}
        if not loans:
            return 0
        quiet = {loan.security_id for loan in loans if loan.key not in acting}
        rules, marks_e4 = self._measure(quiet)
        now_us = self._clock.now_us()
        return sum(
            self._look(*loan.key)
            for loan in loans
            if loan.key in acting
            or stock_loans.is_due(loan, marks_e4.get(loan.security_id, 0), rules, now_us)
        )

    def _measure(self, security_ids: set[str]) -> tuple[MarginRules, dict[str, int]]:
        """The rules, and the mark of each of these securities."""

        def work(
            transaction: LedgerTransaction,
        ) -> tuple[tuple[MarginRules, dict[str, int]], None]:
            book, now_us = transaction.loans, self._clock.now_us()
            as_of = transaction.lock(()).last_report_sequence
            listed = [book.security(security_id) for security_id in sorted(security_ids)]
            marks_e4 = {
                security.security_id: self._marks.mark_e4(book, security, as_of, now_us)
                for security in listed
                if security is not None and security.successor is None
            }
            return (book.rules(), marks_e4), None

        return self._desk.move(work)

    def _look(self, client_id: str, security_id: str) -> int:
        def work(transaction: LedgerTransaction) -> tuple[list[LoanEvent], Settlement | None]:
            step = self._begin(transaction, client_id, security_id)
            if step is None:
                return [], None
            if following.follow(step) and not step.loan.is_over:
                self._go_on(step)
            if not step.events:
                return [], None
            step.write()
            return step.events, step.settlement

        events = self._desk.move(work)
        for event in events:
            _log(event)
        return len(events)

    def _go_on(self, step: LoanStep) -> None:
        if step.loan.stage != "closing":
            _charge(step)
            _follow(step)
            _call(step)
        if step.loan.stage == "closing":
            self._close_out.advance(step)

    def _begin(
        self, transaction: LedgerTransaction, client_id: str, security_id: str
    ) -> LoanStep | None:
        """The loan with all accounts that it can need locked, measured at the mark of now."""
        book, now_us = transaction.loans, self._clock.now_us()
        known = book.loan(client_id, security_id)
        is_withdrawn = (
            known is not None
            and known.order is not None
            and (now_us - known.ordered_us > _WITHDRAW_US or following.is_behind(book, known))
            and book.withdraw_order(known.order)
        )
        # No action is settled, and no loan changes, from here on.
        transaction.lock(())
        symbols = following.symbols_after(book, security_id)
        loan, security = book.loan(client_id, security_id), book.security(symbols[-1])
        if loan is None or security is None:
            return None
        settlement = transaction.lock(positions(client_id, symbols))
        as_of = settlement.last_report_sequence
        mark_e4 = self._marks.mark_e4(book, security, as_of, now_us)
        step = LoanStep(
            transaction, settlement, loan, security, book.rules(), mark_e4, as_of, now_us
        )
        if is_withdrawn:
            step.withdrawn()
        return step


def _charge(step: LoanStep) -> None:
    """Take the fee of the minutes that have passed: from free cash, else from the collateral."""
    fee_e4, until_us = stock_loans.fee_due_e4(step.loan, step.mark_e4, step.rules, step.now_us)
    if until_us == step.loan.charged_us:
        return
    paid_e4 = min(fee_e4, step.free_e4 + step.loan.collateral_e4)
    from_collateral_e4 = max(0, paid_e4 - step.free_e4)
    after = step.changed(
        charged_us=until_us, collateral_e4=step.loan.collateral_e4 - from_collateral_e4
    )
    step.hold(after)
    client_id = step.loan.client_id
    legs = (Leg(client_id, CASH, -paid_e4), Leg(LENDER, CASH, paid_e4)) if paid_e4 else ()
    step.note("fee", after, "loan_fee", legs)


def _follow(step: LoanStep) -> None:
    """Hold more or less, as the mark says and the client's free cash allows."""
    after = stock_loans.followed(step.loan, step.free_e4, step.mark_e4, step.rules)
    if after != step.loan:
        step.hold(after)
        step.note("collateral", after)


def _call(step: LoanStep) -> None:
    """Begin a margin call, end it, or go on where its time is over."""
    before = step.loan
    after = stock_loans.called(before, step.mark_e4, step.rules, step.now_us)
    if after != before:
        kind: EventKind = "call" if after.call_kind else "call_ended"
        step.notice(kind, after, _memo(step, after))
    if not stock_loans.overdue(step.loan, step.now_us):
        return
    if step.loan.stage == "open":
        step.transaction.loans.set_cancel_timer(before.client_id, step.now_us)
        step.note("canceling", stock_loans.canceling(step.loan, step.now_us))
    else:
        step.begin_closing()


def _memo(step: LoanStep, loan: StockLoan) -> str:
    if loan.call_due_us is None:
        return f"margin call on {loan.security_id} ended"
    needed_e4 = stock_loans.required_e4(loan.quantity, step.mark_e4, step.rules.maintenance_bps)
    return (
        f"margin call on {loan.security_id}: {format_e4(loan.collateral_e4)} of"
        f" {format_e4(needed_e4)} are held, until {format_utc(loan.call_due_us)}"
    )


def _log(event: LoanEvent) -> None:
    """One line for what an operator wants to know: not each fee and each cent of collateral."""
    if event.kind in ("fee", "collateral"):
        return
    log.info(
        "a stock loan changed",
        extra={
            "kind": event.kind,
            "client_id": event.loan.client_id,
            "security_id": event.loan.security_id,
            "quantity": event.loan.quantity,
        },
    )
