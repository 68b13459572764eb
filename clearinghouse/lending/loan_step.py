"""One loan in one transaction: its state, the money around it, and what has happened so far."""

from collections.abc import Iterable
from typing import Any

import msgspec

from clearinghouse.domain.ledger import Leg, Shortfall
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import LENDER
from clearinghouse.loan_ports import LoanBook
from clearinghouse.ports import LedgerTransaction
from venue_protocol import default_waterfall, loan_actions
from venue_protocol.default_waterfall import Means
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.securities import Security
from venue_protocol.settlement import CLEARING_CAPITAL, CLOSE_OUT, DEFAULT_FUND
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
        events: list[LoanEvent] | None = None,
    ) -> None:
        """`events`: what has happened to other loans in this transaction."""
        self.transaction = transaction
        self.settlement = settlement
        self.loan = loan
        self.security = security
        self.rules = rules
        self.mark_e4 = mark_e4
        self.now_us = now_us
        self.events: list[LoanEvent] = [] if events is None else events
        self.symbols = transaction.loans.symbols(security.security_id)
        """Of the loan's security, the newest first."""
        self.acted_us = transaction.loans.newest_action_us(self.symbols)
        """When the security's newest corporate action took effect."""
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
        action_id: int = 0,
    ) -> None:
        """The loan is `after` now; what was moved for it is one journal, known by the event."""
        journal_id = None
        if journal_kind is not None and legs:
            reference = f"margin:{self.number}"
            _must_be_covered(
                self.settlement.transfer(journal_kind, self.now_us, legs, reference, memo)
            )
            journal_id = self.settlement.last_journal_id
        before, self.loan = self.loan.security_id, after
        self.events.append(
            LoanEvent(
                kind,
                after,
                self.rules,
                self.mark_e4,
                self._as_of,
                journal_id,
                self.acted_us,
                action_id,
                before if before != after.security_id else None,
            )
        )

    def notice(self, kind: EventKind, after: StockLoan, memo: str, action_id: int = 0) -> None:
        """The loan is `after` now, and the client gets a report of it that moves nothing."""
        legs = (Leg(after.client_id, CASH, 0), Leg(LENDER, CASH, 0))
        self.note(kind, after, "stock_loan", legs, memo, action_id)

    def pay_lender(
        self,
        kind: EventKind,
        after: StockLoan,
        owed_e4: int,
        journal_kind: str,
        memo: str,
        action_id: int = 0,
    ) -> None:
        """The loan is `after` now, and the lender has got what it is owed, as far as there is
        anything: from the pot of a close-out, the client's free cash, its collateral, and then the
        default waterfall.

        An example: of $25.00 owed, $10.00 are free and $1,500.00 held: $15.00 are held less.
        """
        loan, client_id = self.loan, self.loan.client_id
        from_pot_e4 = min(owed_e4, after.pot_e4)
        rest_e4 = owed_e4 - from_pot_e4
        free_e4 = self.free_e4 + loan.collateral_e4 - after.collateral_e4
        from_collateral_e4 = min(max(0, rest_e4 - free_e4), after.collateral_e4)
        after = msgspec.structs.replace(
            after,
            pot_e4=after.pot_e4 - from_pot_e4,
            collateral_e4=after.collateral_e4 - from_collateral_e4,
        )
        self.hold(after)
        drawn = default_waterfall.draws(rest_e4, client_id, self.means())
        self.change_contributions(drawn, -1)
        if any(source != default_waterfall.MEMBER for source in drawn):
            # Others paid: the client borrows again when an administrator has looked at it.
            self.book.set_may_borrow(client_id, False)
        given = {client_id: 0, CLOSE_OUT: from_pot_e4} if from_pot_e4 else {client_id: 0}
        for account, change_e4 in default_waterfall.movements(client_id, drawn, 1).items():
            if account != CLOSE_OUT:
                given[account] = given.get(account, 0) - change_e4
        legs = [Leg(account, CASH, -amount_e4) for account, amount_e4 in given.items()]
        legs.append(Leg(LENDER, CASH, sum(given.values())))
        self.note(kind, after, journal_kind, tuple(legs), memo, action_id)

    def pay_dividends(self, names: Iterable[str]) -> None:
        """Let the client pay these dividends to the lender."""
        loan, names = self.loan, list(names)
        if not names:
            return
        owed_e4 = sum(loan.dividends_e4[name] for name in names)
        after = loan_actions.without_dividends(loan, names)
        memo = f"dividend on borrowed {loan.security_id}"
        self.pay_lender("dividend", after, owed_e4, "loan_fee", memo)

    def end(self) -> None:
        """A loan without shares pays at once what it owes of dividends."""
        if not self.loan.quantity and self.loan.stage != "closing":
            self.pay_dividends(self.loan.dividends_e4)

    def means(self) -> Means:
        """What there is to pay with."""
        return Means(
            free_e4=self.free_e4,
            contributions_e4=self.book.contributions(),
            capital_e4=self.free(CLEARING_CAPITAL, CASH),
        )

    def change_contributions(self, amounts_e4: dict[str, int], sign: int) -> None:
        """Take from the members' contributions (sign -1), or give back."""
        known = self.book.contributions()
        for source, amount_e4 in amounts_e4.items():
            account, _, client_id = source.partition(":")
            if account == DEFAULT_FUND:
                self.book.set_contribution(client_id, known.get(client_id, 0) + sign * amount_e4)

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
        after = default_waterfall.closing(self.loan, self.mark_e4, self.rules)
        self.hold(after)
        legs = waterfall_legs(after.client_id, after.used_e4, 1)
        self.note("closing", after, "close_out", legs, f"close-out of {after.security_id} begins")


def waterfall_legs(client_id: str, amounts_e4: dict[str, int], sign: int) -> tuple[Leg, ...]:
    """The legs of a draw into the pot (sign 1), or of giving back (-1); none for nothing."""
    moved = default_waterfall.movements(client_id, amounts_e4, sign) if amounts_e4 else {}
    return tuple(Leg(account, CASH, amount_e4) for account, amount_e4 in moved.items())


def positions(client_id: str, security_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Every position that a step of the client's loans under these symbols can move."""
    assets = [CASH, *security_ids]
    both = {(name, asset) for name in (client_id, LENDER, CLOSE_OUT) for asset in assets}
    return both | {(DEFAULT_FUND, CASH), (CLEARING_CAPITAL, CASH)}


def _must_be_covered(shortfall: Shortfall | None) -> None:
    if shortfall is not None:
        raise BrokenInvariant(f"a margin run moves what is not there: {shortfall}")
