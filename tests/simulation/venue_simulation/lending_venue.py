"""A venue that lends, in memory: door, engine, settlement and margin run, called in turn.

Each step is the real code on the in-memory store. `faults` may end the process in the middle of any
transaction; what was committed stays, and the desks are made anew, as after a restart.
"""

import itertools
import threading
from typing import Any

from clearinghouse.administration import Administration
from clearinghouse.bootstrap import make_first_state
from clearinghouse.handlers import SettlementDesk
from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.margin_run import MarginRun
from clearinghouse.lending.marks import MarginMarks
from matching_engine.domain.engine import MatchingEngine
from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.adapters.memory_timers import MemoryTimers
from order_entry_gateway.domain.trading_phases import SessionCandidate
from order_entry_gateway.domain.validation import PlaceCandidate
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from venue_protocol import codec, topology
from venue_protocol.commands import CommandBatch, SetPhase
from venue_protocol.events import EventBatch
from venue_protocol.holds import CASH, held_amount, held_asset
from venue_protocol.settlement import CLOSE_OUT, DEFAULT_FUND
from venue_protocol.stock_loans import StockLoan
from venue_simulation.memory_ledger_store import MemoryLedgerStore
from venue_storage.memory_clearing_data import MemoryClearing, Moment

TRADERS = ("ann", "bob", "cat", "dan", "eve")


class Killed(Exception):
    """The process ends here."""


class LendingVenue:
    """Five traders, two of whom have many shares; the pool has 1,000 AAPL."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.clearing = MemoryClearing()
        self.bus = MemoryBus()
        self.bus.declare(topology.DURABLE_QUEUES)
        self.engine = MatchingEngine(0)
        self._unsettled: list[EventBatch] = []
        self._names = 0
        self.kill_at: int | None = None
        """Dies at this moment of a transaction, counted from now."""
        self.clearing.faults = self._fault
        self.restart()
        make_first_state(self.administration)
        for name in TRADERS:
            self.administration.create_client(name, "trader")
        for name in ("bob", "cat"):
            self.administration.deposit(name, CASH, 10**10, f"cash {name}")
            self.administration.deposit(name, "AAPL", 100_000, f"shares {name}")
        self.administration.deposit("lender", "AAPL", 1_000, "pool")
        self.rules.set_rules({"is_open": True, "call_us": 5_000_000})

    def restart(self) -> None:
        """Every process is a new one; the database stays."""
        store = MemoryLedgerStore(self.clearing)
        stopping = threading.Event()
        self.desk = SettlementDesk(store, self.bus.publisher(), stopping)
        self.administration = Administration(self.desk, store, self.clock)
        marks = MarginMarks()
        self.loans = LoanDesk(self.desk, self.clock, marks)
        self.rules = LoanAdministration(self.desk, store, self.clock, marks)
        self.margin = MarginRun(self.desk, store, self.clock, marks, stopping)
        tables = self.clearing.tables
        self.committer = Committer(
            MemoryOrderLog(self.clearing),
            self.bus.publisher(),
            self.clock,
            tables.securities,
            stopping,
        )
        self.timekeeper = Timekeeper(
            MemoryTimers(self.clearing), self.committer, tables.securities, self.clock, stopping
        )

    def second(self) -> None:
        """One second passes: a margin run, due things, matching, settlement."""
        self.clock.advance(1_000_000)
        self.margin.step()
        self.timekeeper.step()
        self.commit()
        self.settle()

    def place(self, client_id: str, side: Any, quantity: int, price_e4: int) -> None:
        """One limit order, matched and settled; a refused one changes nothing."""
        self._names += 1
        security = self.clearing.tables.securities["AAPL"]
        self.committer.enqueue(
            [
                PlaceCandidate(
                    client_id, security, side, "limit", "GTC", quantity, price_e4, f"n{self._names}"
                )
            ]
        )
        self.commit()
        self.settle()

    def phase(self, phase: Any) -> None:
        """An administrator begins a phase for all securities."""
        self.committer.enqueue([SessionCandidate(0, SetPhase("administrator", phase))])
        self.commit()
        self.settle()

    def quote(self, price_e4: int) -> None:
        """Enough clients trade there for a mark."""
        self.clock.advance(6 * 60 * 1_000_000)
        for seller, buyer in (("bob", "cat"), ("cat", "dan"), ("bob", "eve")):
            self.place(seller, "SELL", 1, price_e4)
            self.place(buyer, "BUY", 1, price_e4)

    def commit(self) -> None:
        """Log what waits at the door, and match what is logged: a death may come before it is
        published, and the log is the truth.
        """
        self.committer.step(0)
        rows = [
            row
            for (_, sequence), row in sorted(self.clearing.tables.log.items())
            if sequence > self.engine.log_position
        ]
        for time_us, group in itertools.groupby(rows, lambda row: row.time_us):
            commit = list(group)
            commands = [codec.decode_command(row.command) for row in commit]
            batch = CommandBatch(codec.SCHEMA, 0, commit[0].sequence, time_us, commands)
            self._unsettled.append(self.engine.apply(batch))

    def settle(self) -> None:
        """Settle all events; a batch is forgotten when its transaction is committed."""
        while self._unsettled:
            self.desk.settle([self._unsettled[0]])
            self._unsettled.pop(0)

    def loan(self, client_id: str) -> StockLoan | None:
        """The client's loan of AAPL."""
        with MemoryLedgerStore(self.clearing).transaction() as transaction:
            return transaction.loans.loan(client_id, "AAPL")

    def all_loans(self) -> list[StockLoan]:
        with MemoryLedgerStore(self.clearing).transaction() as transaction:
            return transaction.loans.loans()

    def check(self) -> None:
        """What must be true after every commit, once everything is settled."""
        tables, loans = self.clearing.tables, self.all_loans()
        for asset in (CASH, "AAPL"):
            rows = (
                [row.balance_e4 for row in tables.accounts.values()]
                if asset == CASH
                else [row.quantity for (_, name), row in tables.deposits.items() if name == asset]
            )
            assert sum(rows) == 0, f"{asset} is made or lost"
        held = dict.fromkeys(tables.accounts, 0)
        for order in self.engine.orders.values():
            side = self.engine.sides[order.side_index]
            if held_asset(side.side, side.security_id) == CASH:
                held[order.owner.client_id] += held_amount(side.side, order.price_e4, order.leaves)
        for loan in loans:
            held[loan.client_id] += loan.collateral_e4
        assert {name: row.held_e4 for name, row in tables.accounts.items()} == held
        pots_e4 = sum(loan.pot_e4 for loan in loans)
        in_flight = any(loan.order is not None for loan in loans)
        assert in_flight or tables.accounts[CLOSE_OUT].balance_e4 == pots_e4
        fund = sum(tables.default_fund.values())
        assert tables.accounts[DEFAULT_FUND].balance_e4 == fund
        pool = tables.deposits["lender", "AAPL"].quantity
        bought = tables.deposits.get((CLOSE_OUT, "AAPL"))
        waiting = bought.quantity if bought is not None else 0
        assert pool + sum(loan.quantity for loan in loans) == 1_000
        assert in_flight or waiting == 0

    def _fault(self, moment: Moment) -> None:
        if self.kill_at is None:
            return
        self.kill_at -= 1
        if self.kill_at < 0:
            self.kill_at = None
            raise Killed(moment)
