"""One loan in one transaction: its state, the money around it, and what has happened so far."""

from typing import Any

import msgspec

from clearinghouse.domain import close_out
from clearinghouse.domain.ledger import Leg, Shortfall
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import LENDER
from clearinghouse.loan_ports import LoanBook
from clearinghouse.ports import LedgerTransaction
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.securities import Security
from venue_protocol.stock_loans import EventKind, LoanEvent, MarginRules, StockLoan
from venue_protocol.times import format_utc


class LoanStep:
    """What the margin run does to one loan; each change is an event, with its own journal."""

    def __init__(
        self,
        transaction: LedgerTransaction,
        settlement: Settlement,
        loan: StockLoan,
        security: Security,
        rules: MarginRules,
        mark_e4: int,
        as_of: int,
        now_us: int,
    ) -> None:
        self.transaction = transaction
        self.settlement = settlement
        self.loan = loan
        self.security = security
        self.rules = rules
        self.mark_e4 = mark_e4
        self.now_us = now_us
        self.events: list[LoanEvent] = []
        self._as_of = as_of
        self._first_event = transaction.loans.next_event()

    @property
    def book(self) -> LoanBook:
        """The tables of loans."""
        return self.transaction.loans

    @property
    def number(self) -> int:
        """Number of the event that comes next."""
        return self._first_event + len(self.events)

    @property
    def free_e4(self) -> int:
        """The client's cash that nothing holds."""
        return self.free(self.loan.client_id, CASH)

    def free(self, client_id: str, asset: str) -> int:
        """What nothing holds of a position."""
        position = self.settlement.ledger.position(client_id, asset)
        return max(0, position.quantity - position.held)

    def changed(self, **fields: Any) -> StockLoan:
        """The loan with these fields."""
        return msgspec.structs.replace(self.loan, **fields)

    def hold(self, after: StockLoan) -> None:
        """Hold the collateral of `after`; it was taken from what is free."""
        change = after.collateral_e4 - self.loan.collateral_e4
        _must_be_covered(self.settlement.ledger.hold(self.loan.client_id, CASH, change))

    def note(
        self,
        kind: EventKind,
        after: StockLoan,
        journal_kind: str | None = None,
        legs: tuple[Leg, ...] = (),
        memo: str | None = None,
    ) -> None:
        """The loan is `after` now; what was moved for it is one journal, known by the event."""
        journal_id = None
        if journal_kind is not None and legs:
            reference = f"margin:{self.number}"
            _must_be_covered(
                self.settlement.transfer(journal_kind, self.now_us, legs, reference, memo)
            )
            journal_id = self.settlement.last_journal_id
        self.loan = after
        self.events.append(
            LoanEvent(kind, after, self.rules, self.mark_e4, self._as_of, journal_id)
        )

    def notice(self, kind: EventKind, after: StockLoan, memo: str) -> None:
        """The loan is `after` now, and the client gets a report of it that moves nothing."""
        legs = (Leg(after.client_id, CASH, 0), Leg(LENDER, CASH, 0))
        self.note(kind, after, "stock_loan", legs, memo)

    def recall(self, after: StockLoan) -> None:
        """Shares are asked back."""
        until = format_utc(after.call_due_us or self.now_us)
        self.notice(
            "recall", after, f"recall of {after.recalled} {after.security_id} until {until}"
        )

    def write(self) -> None:
        """Write all that has happened; the caller commits."""
        self.transaction.write(self.settlement)
        self.book.write(self.now_us, self.events)

    def withdrawn(self) -> None:
        """The order that was out is taken back, as if it had not been made."""
        self.note("withdrawn", self.changed(order=None, attempt=self.loan.attempt - 1))

    def begin_closing(self) -> None:
        """The clearinghouse buys the loan back from now on, with its collateral to begin with."""
        after = close_out.closing(self.loan, self.mark_e4, self.rules)
        self.hold(after)
        legs = close_out.legs(after.client_id, after.used_e4, 1) if after.used_e4 else ()
        self.note("closing", after, "close_out", legs, f"close-out of {after.security_id} begins")


def _must_be_covered(shortfall: Shortfall | None) -> None:
    if shortfall is not None:
        raise BrokenInvariant(f"a margin run moves what is not there: {shortfall}")
