"""All loans of one client in one transaction, each with the actions of its security followed."""

from clearinghouse.lending.following import follow, symbols_after
from clearinghouse.lending.loan_step import LoanStep, positions
from clearinghouse.lending.marks import MarginMarks
from clearinghouse.ports import LedgerTransaction
from venue_protocol.securities import Security
from venue_protocol.stock_loans import EventKind, LoanEvent, StockLoan


class ClientLoans:
    """Locks all that a request on `security` can move, and lets the client's loans follow.

    What a close-out buys back is left to the margin run.
    """

    def __init__(
        self,
        transaction: LedgerTransaction,
        marks: MarginMarks,
        client_id: str,
        security: Security,
        now_us: int,
    ) -> None:
        # No action is settled, and no loan changes, from here on.
        transaction.lock(())
        self._transaction, self._marks, self._now_us = transaction, marks, now_us
        self._book = book = transaction.loans
        self._client_id = client_id
        self._security = security
        before = [(loan, symbols_after(book, loan.security_id)) for loan in book.loans(client_id)]
        names = {name for _, symbols in before for name in symbols}
        self.settlement = transaction.lock(positions(client_id, {*names, security.security_id}))
        self.rules = book.rules()
        self.as_of = self.settlement.last_report_sequence
        self.mark_e4 = self._mark_e4(security)
        self.acted_us = book.newest_action_us(book.symbols(security.security_id))
        self.events: list[LoanEvent] = []
        self._loans: dict[str, StockLoan] = {}
        for loan, symbols in before:
            listed = book.security(symbols[-1])
            if loan.stage != "closing" and listed is not None:
                step = self._step(loan, listed)
                follow(step)
                loan = step.loan
            if not loan.is_over:
                # One that a close-out keeps behind stands for its security all the same.
                self._loans[symbols[-1]] = loan

    def loan(self, security_id: str) -> StockLoan | None:
        """The client's loan of this security."""
        return self._loans.get(security_id)

    def step(self, loan: StockLoan) -> LoanStep:
        """What happens to the loan of the request's security."""
        return self._step(loan, self._security)

    def note(self, kind: EventKind, after: StockLoan) -> None:
        """What the newest journal did to the loan of the request's security."""
        self.events.append(
            LoanEvent(
                kind,
                after,
                self.rules,
                self.mark_e4,
                self.as_of,
                self.settlement.last_journal_id,
                self.acted_us,
            )
        )

    def write(self) -> None:
        """Write all that has happened; the caller commits."""
        self._transaction.write(self.settlement)
        self._book.write(self._now_us, self.events)

    def _step(self, loan: StockLoan, security: Security) -> LoanStep:
        return LoanStep(
            self._transaction,
            self.settlement,
            loan,
            security,
            self.rules,
            self._mark_e4(security),
            self.as_of,
            self._now_us,
            self.events,
        )

    def _mark_e4(self, security: Security) -> int:
        return self._marks.mark_e4(self._book, security, self.as_of, self._now_us)
