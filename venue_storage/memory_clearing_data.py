"""`clearing_data` in one process, for tests and simulation.

Tables are dicts; transactions and constraints are those of Postgres. A transaction is all or
nothing, also when its process dies in it. `faults` is called at each moment at which a database or
a process may fail, and may raise there: DatabaseUnavailable, CommitUnknown, or anything else.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeVar

from service_runtime.database import DatabaseUnavailable
from venue_protocol.obligations import CycleRow, DeliveryTerms, ObligationRow, VolumeRow
from venue_protocol.securities import Security
from venue_protocol.settlement import GENESIS_HASH
from venue_protocol.settlement_modes import SettlementRow
from venue_protocol.trading_day import BandRow, PhaseRow
from venue_storage.clearing_rows import (
    ActionRow,
    CloseOutOrder,
    JournalRow,
    LogRow,
    ProposalRow,
    ReportRow,
    Suspension,
)
from venue_storage.memory_fee_tables import FeeTables

T = TypeVar("T")

Moment = Literal["begin", "read", "statement", "commit", "committed"]
"""Moments of a transaction.

`begin`: before anything. `read`: before a statement that reads while nothing is locked yet, so that
others may commit now. `statement`: before any other statement. `commit`: before the commit.
`committed`: after it, but before the caller knows.
"""

_ABSENT: Final = object()


class ConstraintViolated(RuntimeError):
    """A row that the database's constraints do not allow."""


class UniqueViolated(ConstraintViolated):
    """A key that is there already."""

    def __init__(self, constraint: str, key: object) -> None:
        super().__init__(f"{constraint}: {key!r} is there already")
        self.constraint = constraint
        """Its name in Postgres."""


class AccountRow(NamedTuple):
    """Cash of one client, ten-thousandths of a dollar, and the end of its report chain."""

    balance_e4: int
    held_e4: int
    is_external: bool = False
    report_count: int = 0
    report_hash: str = GENESIS_HASH


class DepositRow(NamedTuple):
    """Shares of one client in one security."""

    quantity: int
    held: int
    is_external: bool = False


class NettingTables:
    """What net settlement stores; each table is a dict by its primary key."""

    def __init__(self) -> None:
        self.obligations: dict[tuple[int, int, str, str], ObligationRow] = {}
        """By shard, cycle, client and security."""
        self.volumes: dict[tuple[int, int, str], VolumeRow] = {}
        """By shard, cycle and security."""
        self.terms: dict[tuple[str, str], DeliveryTerms] = {}
        """By client and security."""
        self.cycles: dict[tuple[int, int], CycleRow] = {}
        """By shard and number."""


class Tables:
    """What is stored. Rows are immutable; every table is a dict by its primary key."""

    def __init__(self, shards: int) -> None:
        self.clients: dict[str, str] = {}
        """Role by client_id."""
        self.rate_limits: dict[str, int | None] = {}
        """Orders per second by client_id, where one was set."""
        self.suspensions: dict[str, Suspension] = {}
        """By client_id."""
        self.actions: dict[int, ActionRow] = {}
        """What administrators did, by number from 1."""
        self.proposals: dict[int, ProposalRow] = {}
        """By number from 1."""
        self.keys: dict[bytes, tuple[str, int | None]] = {}
        """Client and time of revocation by key hash."""
        self.securities: dict[str, Security] = {}
        self.accounts: dict[str, AccountRow] = {}
        self.deposits: dict[tuple[str, str], DepositRow] = {}
        self.log_heads = dict.fromkeys(range(shards), (0, 0))
        """last_sequence and last_time_us by shard."""
        self.log: dict[tuple[int, int], LogRow] = {}
        self.names: dict[tuple[str, str], tuple[int, int]] = {}
        """Index of the log: shard and sequence by client_id and client_order_id."""
        self.amends: dict[int, tuple[int, int]] = {}
        """Index of the log: the newest amend of an order, by order id."""
        self.expiries: dict[tuple[int, int], None] = {}
        """Shard and time at which orders are due to expire."""
        self.cancel_timers: dict[str, tuple[str, int]] = {}
        """client_id and due_us by timer."""
        self.session_phases: dict[tuple[int, str], PhaseRow] = {}
        """By shard and security; the empty security is the whole shard."""
        self.session_bands: dict[tuple[int, str], BandRow] = {}
        """By shard and security."""
        self.session_settlement: dict[int, SettlementRow] = {}
        """By shard."""
        self.netting = NettingTables()
        self.fees = FeeTables()
        self.settlement_head: dict[Literal[True], tuple[int, int]] = {True: (0, 0)}
        """last_report_sequence and last_journal_id."""
        self.journals: dict[int, JournalRow] = {}
        self.trades: dict[int, int] = {}
        """Index of the journals: journal_id by trade_id."""
        self.references: dict[str, int] = {}
        self.reports: dict[int, ReportRow] = {}
        self.obligations: dict[int, str] = {}
        """Reason by trade_id."""
        self.corporate_actions: dict[tuple[int, str], Any] = {}
        self.entitlements: dict[tuple[int, str], Any] = {}
        """By action_id and step, and by action_id and client_id."""
        self.positions: dict[tuple[str, str], int] = {}
        """By reader and stream."""
        self._add_loans()

    def _add_loans(self) -> None:
        """What the clearinghouse keeps of stock loans."""
        self.margin_rules: dict[Literal[True], str] = {}
        """JSON."""
        self.short_sellers: dict[str, bool] = {}
        """Whether each client may borrow, where that was decided."""
        self.stock_loans: dict[tuple[str, str], str] = {}
        """JSON by client and security."""
        self.loan_events: dict[int, tuple[int, str, str, str]] = {}
        """time_us, client, security and JSON by number."""
        self.loan_marks: dict[tuple[str, int, int], tuple[str, int, int, int, int, int]] = {}
        """By security, as_of_report and followed_us."""
        self.default_fund: dict[str, int] = {}
        """contribution_e4 by client."""
        self.close_out_orders: dict[str, CloseOutOrder] = {}
        """By client_order_id."""
        self.join_codes: dict[str, tuple[Any, ...]] = {}
        """By label: the row."""


class MemoryTransaction:
    """Reads `tables` and writes through its methods, which check the constraints.

    Each write remembers the row before it, so that a failed transaction can be undone.
    """

    def __init__(self, tables: Tables, faults: Callable[[Moment], None]) -> None:
        self.tables = tables
        self._faults = faults
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []

    def statement(self) -> None:
        """A moment at which a statement would be sent."""
        self._faults("statement")

    def read(self) -> None:
        """A moment at which a statement would be sent that locks nothing, before any that does."""
        self._faults("read")

    def put(self, table: dict[Any, Any], key: Any, row: Any) -> None:
        """Insert or replace a row that no further constraint is on."""
        self._undo.append((table, key, table.get(key, _ABSENT)))
        table[key] = row

    def delete(self, table: dict[Any, Any], key: Any) -> None:
        """Delete a row, if it is there."""
        if key in table:
            self._undo.append((table, key, table.pop(key)))

    def insert(self, table: dict[Any, Any], key: Any, row: Any, constraint: str) -> None:
        """Insert a row; UniqueViolated, with the constraint's name, if its key is there."""
        if key in table:
            raise UniqueViolated(constraint, key)
        self.put(table, key, row)

    def put_account(self, client_id: str, row: AccountRow) -> None:
        """Insert or replace an account; ConstraintViolated unless it covers what is held."""
        if row.held_e4 < 0 or (row.held_e4 > row.balance_e4 and not row.is_external):
            raise ConstraintViolated(f"accounts_covered_check: {client_id} {row}")
        if client_id not in self.tables.clients:
            raise ConstraintViolated(f"no client {client_id}")
        self.put(self.tables.accounts, client_id, row)

    def put_deposit(self, client_id: str, security_id: str, row: DepositRow) -> None:
        """Insert or replace a deposit; ConstraintViolated unless it covers what is held."""
        if row.held < 0 or (row.held > row.quantity and not row.is_external):
            raise ConstraintViolated(
                f"securities_deposits_covered_check: {client_id} {security_id} {row}"
            )
        if client_id not in self.tables.clients or security_id not in self.tables.securities:
            raise ConstraintViolated(f"no client {client_id}, or no security {security_id}")
        self.put(self.tables.deposits, (client_id, security_id), row)

    def append_log(self, row: LogRow) -> None:
        """Append to the log.

        UniqueViolated for a client_order_id used before, ConstraintViolated for a hole.
        """
        key = (row.shard, row.sequence)
        if row.sequence > 1 and (row.shard, row.sequence - 1) not in self.tables.log:
            raise ConstraintViolated(f"the log has a hole before {key}")
        self.insert(self.tables.log, key, row, "order_log_pkey")
        if row.client_order_id is not None:
            name = (row.client_id, row.client_order_id)
            self.insert(self.tables.names, name, key, "order_log_client_order_id")
        if row.amended_order_id is not None:
            self.put(self.tables.amends, row.amended_order_id, key)

    def add_journal(self, row: JournalRow) -> None:
        """Add a journal.

        ConstraintViolated unless it balances, follows the last, and its trade is not settled yet.
        """
        sums: dict[str, int] = {}
        for asset, amount in zip(row.assets, row.amounts, strict=True):
            sums[asset] = sums.get(asset, 0) + amount
        if len(row.amounts) < 2 or len(row.accounts) != len(row.amounts) or any(sums.values()):
            raise ConstraintViolated(f"journals_balanced_check: {row}")
        if row.journal_id > 1 and row.journal_id - 1 not in self.tables.journals:
            raise ConstraintViolated(f"the journals have a hole before {row.journal_id}")
        self.insert(self.tables.journals, row.journal_id, row, "journals_pkey")
        if row.trade_id is not None:
            self.insert(self.tables.trades, row.trade_id, row.journal_id, "journals_trade_id")
        if row.reference is not None:
            self.insert(self.tables.references, row.reference, row.journal_id, "journals_reference")

    def add_proposal(self, row: ProposalRow) -> None:
        """Add an open proposal; UniqueViolated for its key, or for another on the same trade."""
        for other in self.tables.proposals.values():
            if (other.proposed_by, other.idempotency_key) == (row.proposed_by, row.idempotency_key):
                raise UniqueViolated("proposals_idempotency_key", row.idempotency_key)
            is_on_same = row.trade_id is not None and other.trade_id == row.trade_id
            if is_on_same and other.status == "open":
                raise UniqueViolated("proposals_open_trade", row.trade_id)
        if row.client_id is not None and row.client_id not in self.tables.clients:
            raise ConstraintViolated(f"no client {row.client_id}")
        self.insert(self.tables.proposals, row.proposal_id, row, "proposals_pkey")

    def decide_proposal(self, row: ProposalRow) -> None:
        """Store a decision; ConstraintViolated if there is one, or nobody else made it."""
        if self.tables.proposals[row.proposal_id].status != "open":
            raise ConstraintViolated(f"proposal {row.proposal_id} is decided already")
        if row.status == "done" and row.decided_by == row.proposed_by:
            raise ConstraintViolated(f"proposals_second_person_check: {row}")
        if (row.status == "done") != (row.journal_id is not None):
            raise ConstraintViolated(f"proposals_decided_check: {row}")
        self.put(self.tables.proposals, row.proposal_id, row)

    def add_report(self, row: ReportRow) -> None:
        """Add a settlement report; ConstraintViolated if it does not follow the last."""
        if row.sequence > 1 and row.sequence - 1 not in self.tables.reports:
            raise ConstraintViolated(f"the reports have a hole before {row.sequence}")
        self.insert(self.tables.reports, row.sequence, row, "settlement_reports_pkey")

    def has_written(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._undo)

    def roll_back(self) -> None:
        """Undo everything, newest first."""
        for table, key, row in reversed(self._undo):
            if row is _ABSENT:
                del table[key]
            else:
                table[key] = row
        self._undo.clear()


class OneTransaction:
    """The block of one transaction: a class, for a simulation enters thousands a second."""

    __slots__ = ("_clearing", "_lock", "_transaction")

    def __init__(self, clearing: "MemoryClearing", lock: threading.RLock) -> None:
        self._clearing = clearing
        self._lock = lock

    def __enter__(self) -> MemoryTransaction:
        clearing = self._clearing
        self._lock.acquire()
        try:
            clearing.faults("begin")
        except BaseException:
            self._lock.release()
            raise
        self._transaction = MemoryTransaction(clearing.tables, clearing.faults)
        return self._transaction

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        clearing, transaction = self._clearing, self._transaction
        try:
            if kind is not None:
                transaction.roll_back()
                return
            try:
                clearing.faults("commit")
            except BaseException:
                transaction.roll_back()
                raise
            if transaction.has_written():
                clearing.on_commit()
            clearing.faults("committed")
        finally:
            self._lock.release()


class MemoryClearing:
    """The database: one transaction at a time, from any thread."""

    def __init__(self, shards: int = 1) -> None:
        self.tables = Tables(shards)
        self.faults: Callable[[Moment], None] = _nothing_fails
        self.on_commit: Callable[[], None] = _ignore_commit
        """Called after each commit that wrote something, before the caller knows of it."""
        self._one_at_a_time = threading.RLock()

    def transaction(self) -> "OneTransaction":
        """One transaction: committed at the end of the block, undone on any error."""
        return OneTransaction(self, self._one_at_a_time)

    def run(
        self, work: Callable[[MemoryTransaction], T], stopping: threading.Event | None = None
    ) -> T:
        """The result of `work` in a transaction, tried until it commits.

        `work` must be safe to repeat.
        """
        while True:
            try:
                with self.transaction() as transaction:
                    return work(transaction)
            except DatabaseUnavailable:
                if stopping is not None and stopping.is_set():
                    raise


def _nothing_fails(moment: Moment) -> None:
    """A database that is always there."""


def _ignore_commit() -> None:
    """For a database whose commits nobody waits for."""
