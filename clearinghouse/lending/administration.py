"""What an administrator decides about stock loans: the rules, and who may borrow."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from clearinghouse.administration import Receipt
from clearinghouse.administrative_record import CONSOLE, ActionRecord, Note, log_actions
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import VENUE_ACCOUNTS
from clearinghouse.handlers import SettlementDesk
from clearinghouse.lending.client_loans import ClientLoans
from clearinghouse.lending.desk import done_before
from clearinghouse.lending.marks import MarginMarks
from clearinghouse.ports import LedgerStore, LedgerTransaction
from service_runtime.clock import Clock
from venue_protocol import stock_loans
from venue_protocol.holds import CASH
from venue_protocol.identifiers import is_client_id
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse, unknown_client
from venue_protocol.securities import BASIS_POINTS
from venue_protocol.settlement import DEFAULT_FUND
from venue_protocol.stock_loans import MarginRules, StockLoan
from venue_storage.clearing_rows import ActionRow

T = TypeVar("T")

MOST_RATE_BPS = 100_000
"""Ten times the value: more than any margin asks for."""
MOST_FEE_BPS = 10_000
"""The whole value in a day."""
MOST_CALL_US = 7 * 86_400_000_000
"""A week."""


class LoanAdministration:
    """Changes to the rules. Refusals are raised as `Refused`."""

    def __init__(
        self, desk: SettlementDesk, store: LedgerStore, clock: Clock, marks: MarginMarks
    ) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._marks = marks
        self._record = ActionRecord(clock)

    def rules(self) -> MarginRules:
        """The rules of now."""
        with self._store.transaction() as transaction:
            return transaction.loans.rules()

    def set_rules(self, changes: dict[str, int | bool], by: str = CONSOLE) -> MarginRules:
        """Change these fields of the rules; the rules after it.

        They hold for all loans from the next margin run on.
        """
        with self._record.transaction(self._store) as (transaction, record):
            rules = msgspec.structs.replace(transaction.loans.rules(), **changes)
            _check(rules)
            transaction.loans.set_rules(rules)
            record("set_margin_rules", by, details=msgspec.structs.asdict(rules))
        return rules

    def allow(self, client_id: str, is_allowed: bool | None, by: str = CONSOLE) -> None:
        """Let a client borrow, or not; None: as the rules say for everybody."""
        with self._record.transaction(self._store) as (transaction, record):
            known = transaction.lock_client(client_id)
            if known is None:
                raise unknown_client(client_id)
            if client_id in VENUE_ACCOUNTS:
                raise refuse(
                    RejectReason.INVALID_FIELD,
                    f"{client_id} is an account of the venue itself: it does not borrow",
                    "client_id",
                )
            transaction.loans.set_may_borrow(client_id, is_allowed)
            details = {"is_allowed": is_allowed}
            record("allow_short_selling", by, client_id=client_id, details=details)

    def recall(
        self,
        client_id: str,
        security_id: str,
        quantity: int,
        reason: str | None = None,
        by: str = CONSOLE,
    ) -> StockLoan:
        """Ask for shares back until the end of a call's time; the loan after it.

        What is not returned by then the clearinghouse buys back. A second recall replaces the
        first and its time.
        """

        def work(
            transaction: LedgerTransaction, record: Note
        ) -> tuple[StockLoan, Settlement | None]:
            transaction.lock(())
            now_us, security = self._clock.now_us(), transaction.loans.security(security_id)
            if security is None:
                raise refuse(RejectReason.UNKNOWN_LOAN, f"no loan of {security_id}", "security")
            opened = ClientLoans(transaction, self._marks, client_id, security, now_us)
            loan = opened.loan(security_id)
            if loan is None:
                raise refuse(RejectReason.UNKNOWN_LOAN, f"no loan of {security_id}", "security")
            if loan.stage == "closing":
                raise refuse(
                    RejectReason.LOAN_CLOSING, f"the loan of {security_id} is being bought back"
                )
            is_odd = bool(quantity % security.lot) and quantity != loan.quantity
            if not 0 < quantity <= loan.quantity or is_odd:
                raise refuse(
                    RejectReason.QUANTITY_TOO_LARGE,
                    f"a recall is of whole lots, up to the {loan.quantity} shares borrowed",
                    "quantity",
                )
            after = stock_loans.recalled(loan, quantity, now_us + opened.rules.call_us)
            opened.step(loan).recall(after)
            opened.write()
            details = {"quantity": quantity}
            record(
                "recall_loan",
                by,
                client_id=client_id,
                security_id=security_id,
                reason=reason,
                details=details,
            )
            return after, opened.settlement

        return self._move(work)

    def contribute(
        self, client_id: str, amount_e4: int, key: str, by: str = CONSOLE
    ) -> tuple[int, Receipt]:
        """Move cash of a member into the default fund, or back where it is below zero; what the
        member has in it then.

        The same key again does nothing.
        """
        legs = (Leg(client_id, CASH, -amount_e4), Leg(DEFAULT_FUND, CASH, amount_e4))
        reference = f"default-fund:{key}"

        def work(
            transaction: LedgerTransaction, record: Note
        ) -> tuple[tuple[int, Receipt], Settlement | None]:
            book = transaction.loans
            _require_member(transaction, client_id, amount_e4)
            done = done_before(transaction, reference, legs)
            before_e4 = book.contributions().get(client_id, 0)
            if done is not None:
                return (before_e4, done), None
            settlement = transaction.lock({(client_id, CASH), (DEFAULT_FUND, CASH)})
            after_e4 = before_e4 + amount_e4
            shortfall = settlement.transfer(
                "deposit", self._clock.now_us(), legs, reference, "default fund"
            )
            if shortfall is not None or after_e4 < 0:
                raise refuse(
                    RejectReason.INSUFFICIENT_FUNDS,
                    str(shortfall or f"{client_id} has {format_e4(before_e4)} in the fund"),
                    "cash",
                )
            transaction.write(settlement)
            book.set_contribution(client_id, after_e4)
            details = {"amount": amount_e4, "journal_id": settlement.last_journal_id}
            record("default_fund", by, client_id=client_id, details=details)
            return (after_e4, Receipt(settlement.last_journal_id, False)), settlement

        return self._move(work)

    def _move(self, work: Callable[[LedgerTransaction, Note], tuple[T, Settlement | None]]) -> T:
        noted: list[ActionRow] = []
        result = self._desk.move(
            lambda transaction: work(transaction, self._record.note_taker(transaction, noted))
        )
        log_actions(noted)
        return result


def _require_member(transaction: LedgerTransaction, client_id: str, amount_e4: int) -> None:
    if not amount_e4:
        raise refuse(RejectReason.AMOUNT_NOT_POSITIVE, "cash is not zero", "cash")
    if not is_client_id(client_id) or not transaction.has_client(client_id):
        raise unknown_client(client_id)
    if client_id in VENUE_ACCOUNTS:
        raise refuse(
            RejectReason.FORBIDDEN, f"{client_id} is an account of the venue itself", "client_id"
        )


def _check(rules: MarginRules) -> None:
    faults = (
        (
            "maintenance_bps",
            BASIS_POINTS <= rules.maintenance_bps <= MOST_RATE_BPS,
            f"maintenance_bps is from {BASIS_POINTS} to {MOST_RATE_BPS}",
        ),
        (
            "initial_bps",
            rules.maintenance_bps <= rules.initial_bps <= MOST_RATE_BPS,
            f"initial_bps is from maintenance_bps to {MOST_RATE_BPS}",
        ),
        ("fee_bps", 0 <= rules.fee_bps <= MOST_FEE_BPS, f"fee_bps is from 0 to {MOST_FEE_BPS}"),
        (
            "call_ms",
            0 <= rules.call_us <= MOST_CALL_US,
            f"call_ms is from 0 to {MOST_CALL_US // 1000}",
        ),
        (
            "pool_bps",
            1 <= rules.pool_bps <= BASIS_POINTS,
            f"pool_bps is from 1 to {BASIS_POINTS}",
        ),
    )
    for field, holds, message in faults:
        if not holds:
            raise refuse(RejectReason.INVALID_FIELD, message, field)
