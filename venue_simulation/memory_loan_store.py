"""Stock loans in memory, for tests and simulation. It keeps what Postgres keeps."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from clearinghouse.domain.venue_accounts import LENDER
from venue_protocol import codec
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.securities import Security
from venue_protocol.settlement import CLOSE_OUT, SettlementReport
from venue_protocol.stock_loans import (
    LoanEvent,
    MarginRules,
    Mark,
    StockLoan,
    newest_loans,
)
from venue_storage.clearing_rows import CloseOutOrder
from venue_storage.memory_clearing_data import MemoryTransaction


class MemoryLoanBook:
    """The LoanBook on dicts."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._tables = transaction.tables

    def rules(self) -> MarginRules:
        """What an administrator set, or the defaults."""
        self._transaction.statement()
        text = self._tables.margin_rules.get(True)
        return msgspec.json.decode(text, type=MarginRules) if text else MarginRules()

    def set_rules(self, rules: MarginRules) -> None:
        """Set them."""
        self._transaction.statement()
        text = msgspec.json.encode(rules).decode()
        self._transaction.put(self._tables.margin_rules, True, text)

    def may_borrow(self, client_id: str) -> bool | None:
        """What was decided for this client; None if nothing was."""
        self._transaction.statement()
        return self._tables.short_sellers.get(client_id)

    def set_may_borrow(self, client_id: str, is_allowed: bool | None) -> None:
        """Decide it; None: as for everybody."""
        self._transaction.statement()
        if is_allowed is None:
            self._transaction.delete(self._tables.short_sellers, client_id)
        else:
            self._transaction.put(self._tables.short_sellers, client_id, is_allowed)

    def security(self, security_id: str) -> Security | None:
        """A listed security."""
        self._transaction.statement()
        return self._tables.securities.get(security_id)

    def loan(self, client_id: str, security_id: str) -> StockLoan | None:
        """The client's loan of this security."""
        self._transaction.statement()
        text = self._tables.stock_loans.get((client_id, security_id))
        return msgspec.json.decode(text, type=StockLoan) if text else None

    def loans(self, client_id: str | None = None) -> list[StockLoan]:
        """All loans (of this client), by client and security."""
        self._transaction.statement()
        return [
            msgspec.json.decode(text, type=StockLoan)
            for (owner, _), text in sorted(self._tables.stock_loans.items())
            if client_id in (None, owner)
        ]

    def lent(self, security_id: str) -> int:
        """Shares of this security that are lent out."""
        return sum(loan.quantity for loan in self.loans() if loan.security_id == security_id)

    def pool(self) -> list[tuple[str, int, int]]:
        """Security, shares available and shares lent, where the pool has or lent some; by name."""
        rows = {
            asset: row.quantity - row.held
            for (client_id, asset), row in self._tables.deposits.items()
            if client_id == LENDER
        }
        lent = Counter[str]()
        for loan in self.loans():
            lent[loan.security_id] += loan.quantity
        return [(name, rows.get(name, 0), lent[name]) for name in sorted(rows.keys() | lent.keys())]

    def write(self, time_us: int, events: Sequence[LoanEvent]) -> None:
        """Append what happened and leave each loan as its last event says."""
        self._transaction.statement()
        for number, event in enumerate(events, self.next_event()):
            row = (time_us, *event.loan.key, msgspec.json.encode(event).decode())
            self._transaction.insert(self._tables.loan_events, number, row, "loan_events_pkey")
        for key, loan in newest_loans(events).items():
            if loan is not None:
                text = msgspec.json.encode(loan).decode()
                self._transaction.put(self._tables.stock_loans, key, text)
            else:
                self._transaction.delete(self._tables.stock_loans, key)

    def next_event(self) -> int:
        """Number of the next event."""
        return len(self._tables.loan_events) + 1

    def symbols(self, security_id: str) -> list[str]:
        """The symbol and those that the security had before, the newest first."""
        self._transaction.statement()
        before = {row.successor: row.security_id for row in self._tables.securities.values()}
        names = [security_id]
        while names[-1] in before:
            names.append(before[names[-1]])
        return names

    def actions(self, security_ids: Sequence[str], after_us: int) -> list[AppliedAction]:
        """Corporate actions of these securities that took effect later, as they did."""
        self._transaction.statement()
        return sorted(
            AppliedAction(step.time_us, step.action_id, step.security_id, step.action)
            for step in self._tables.corporate_actions.values()
            if step.step == "applied"
            and step.security_id in security_ids
            and step.time_us > after_us
        )

    def newest_action_us(self, security_ids: Sequence[str]) -> int:
        """When the newest corporate action of these took effect; 0 without one."""
        return max((known.time_us for known in self.actions(security_ids, 0)), default=0)

    def paid_dividends(self, action_ids: Iterable[int]) -> set[int]:
        """Those of these dividends that are paid."""
        self._transaction.statement()
        paid = [step for step in self._tables.corporate_actions.values() if step.step == "paid"]
        return {step.action_id for step in paid} & set(action_ids)

    def mark(self, security_ids: Sequence[str]) -> Mark | None:
        """The newest mark of a security under these symbols."""
        self._transaction.statement()
        found = [Mark(*mark) for mark in self._tables.loan_marks.values()]
        found = [mark for mark in found if mark.security_id in security_ids]
        return max(found, key=lambda mark: (mark.as_of_report, mark.followed_us), default=None)

    def add_mark(self, mark: Mark) -> None:
        """Append a mark."""
        self._transaction.statement()
        key = (mark.security_id, mark.as_of_report, mark.followed_us)
        self._transaction.insert(self._tables.loan_marks, key, tuple(mark), "loan_marks_pkey")

    def trade_reports(
        self, security_ids: Sequence[str], after: int, until: int
    ) -> Iterable[SettlementReport]:
        """Settlement reports of trades in these securities with sequences in (after, until]."""
        self._transaction.statement()
        rows = (self._tables.reports.get(number) for number in range(after + 1, until + 1))
        told = (codec.decode_report(row.report) for row in rows if row is not None)
        return [
            report
            for report in told
            if report.settlement_kind == "trade" and report.security_id in security_ids
        ]

    def contributions(self) -> dict[str, int]:
        """What each member has in the default fund, ten-thousandths of a dollar."""
        self._transaction.statement()
        return {name: amount for name, amount in self._tables.default_fund.items() if amount}

    def set_contribution(self, client_id: str, contribution_e4: int) -> None:
        """Set it."""
        self._transaction.statement()
        self._transaction.put(self._tables.default_fund, client_id, contribution_e4)

    def set_cancel_timer(self, client_id: str, due_us: int) -> None:
        """Let the gateway cancel all open orders of a client at `due_us`, through the order log."""
        self._transaction.statement()
        timer = f"margin:{client_id}"
        self._transaction.put(self._tables.cancel_timers, timer, (client_id, due_us))

    def add_order(self, order: CloseOutOrder) -> None:
        """Let the gateway log this order, once."""
        self._transaction.statement()
        self._transaction.insert(
            self._tables.close_out_orders, order[0], order, "close_out_orders_pkey"
        )

    def withdraw_order(self, client_order_id: str) -> bool:
        """Take it back; False if the gateway has logged it."""
        self._transaction.statement()
        is_there = client_order_id in self._tables.close_out_orders
        self._transaction.delete(self._tables.close_out_orders, client_order_id)
        return is_there

    def logged(self, client_order_id: str) -> tuple[int, int] | None:
        """Shard and sequence of a close-out's order in the order log; None while not there."""
        self._transaction.statement()
        return self._tables.names.get((CLOSE_OUT, client_order_id))

    def close_out_reports(self, after: int) -> list[SettlementReport]:
        """Settlement reports of the account `close_out` behind number `after` of its own."""
        self._transaction.statement()
        return [
            codec.decode_report(row.report)
            for row in self._tables.reports.values()
            if row.client_id == CLOSE_OUT and row.client_sequence > after
        ]
