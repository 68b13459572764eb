"""What stock loans ask of the clearinghouse's store.

Bodies: `adapters.loan_store` (Postgres) and `venue_simulation.memory_loan_store`.
tests/contract/test_loan_book.py runs on both.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from venue_protocol.loan_actions import AppliedAction
from venue_protocol.securities import Security
from venue_protocol.settlement import SettlementReport
from venue_protocol.stock_loans import LoanEvent, MarginRules, Mark, StockLoan
from venue_storage.clearing_rows import CloseOutOrder


class LoanBook(Protocol):
    """The tables of stock loans, in a transaction of the ledger.

    Whoever changes a loan has locked the settlement head, so nobody else does meanwhile.
    """

    def rules(self) -> MarginRules:
        """What an administrator set, or the defaults."""
        ...

    def set_rules(self, rules: MarginRules) -> None:
        """Set them."""
        ...

    def may_borrow(self, client_id: str) -> bool | None:
        """What was decided for this client; None if nothing was."""
        ...

    def set_may_borrow(self, client_id: str, is_allowed: bool | None) -> None:
        """Decide it; None: as for everybody."""
        ...

    def security(self, security_id: str) -> Security | None:
        """A listed security."""
        ...

    def loan(self, client_id: str, security_id: str) -> StockLoan | None:
        """The client's loan of this security."""
        ...

    def loans(self, client_id: str | None = None) -> list[StockLoan]:
        """All loans (of this client), by client and security."""
        ...

    def lent(self, security_id: str) -> int:
        """Shares of this security that are lent out."""
        ...

    def pool(self) -> list[tuple[str, int, int]]:
        """Security, shares available and shares lent, where the pool has or lent some; by name."""
        ...

    def write(self, time_us: int, events: Sequence[LoanEvent]) -> None:
        """Append what happened and leave each loan as its last event says; without shares it is
        gone.
        """
        ...

    def next_event(self) -> int:
        """Number of the next event."""
        ...

    def symbols(self, security_id: str) -> list[str]:
        """The symbol and those that the security had before, the newest first."""
        ...

    def actions(self, security_ids: Sequence[str], after_us: int) -> list[AppliedAction]:
        """Corporate actions of these securities that took effect later, as they did."""
        ...

    def newest_action_us(self, security_ids: Sequence[str]) -> int:
        """When the newest corporate action of these took effect; 0 without one."""
        ...

    def paid_dividends(self, action_ids: Iterable[int]) -> set[int]:
        """Those of these dividends that are paid."""
        ...

    def mark(self, security_ids: Sequence[str]) -> Mark | None:
        """The newest mark of a security under these symbols."""
        ...

    def add_mark(self, mark: Mark) -> None:
        """Append a mark."""
        ...

    def trade_reports(
        self, security_ids: Sequence[str], after: int, until: int
    ) -> Iterable[SettlementReport]:
        """Settlement reports of trades in these securities with sequences in (after, until]."""
        ...

    def contributions(self) -> dict[str, int]:
        """What each member has in the default fund, ten-thousandths of a dollar."""
        ...

    def set_contribution(self, client_id: str, contribution_e4: int) -> None:
        """Set it."""
        ...

    def set_cancel_timer(self, client_id: str, due_us: int) -> None:
        """Let the gateway cancel all open orders of a client at `due_us`, through the order log."""
        ...

    def add_order(self, order: CloseOutOrder) -> None:
        """Let the gateway log this order, once."""
        ...

    def withdraw_order(self, client_order_id: str) -> bool:
        """Take it back; False if the gateway has logged it. Before anything else is locked."""
        ...

    def logged(self, client_order_id: str) -> tuple[int, int] | None:
        """Shard and sequence of a close-out's order in the order log; None while not there."""
        ...

    def close_out_reports(self, after: int) -> list[SettlementReport]:
        """Settlement reports of the account `close_out` behind number `after` of its own."""
        ...
