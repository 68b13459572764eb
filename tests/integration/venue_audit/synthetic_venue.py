"""A venue without processes: door, engine, settlement desk and feed's record called in turn on real
databases.

Each step is the real code; only the broker is left out, so a test says how far each reader has
come.
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.administration import Administration
from clearinghouse.client_administration import ClientAdministration
from clearinghouse.fee_changes import RecordedFeeChanges
from clearinghouse.handlers import SettlementDesk
from clearinghouse.proposal_desk import ProposalDesk
from market_data_feed.adapters import record_writer
from market_data_feed.domain.inbox import Inbox
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.working_order import WorkingOrder
from matching_engine.domain.engine import MatchingEngine
from migrations.provision import Provisioned
from order_entry_gateway.adapters.order_log_store import PostgresOrderLog
from order_entry_gateway.domain.validation import (
    AmendCandidate,
    CancelAllCandidate,
    CancelCandidate,
    Candidate,
    PlaceCandidate,
)
from order_entry_gateway.loops.group_commit import Committer
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from service_runtime.database import Database
from trading_fees.desk import FeeDesk
from venue_protocol import codec, topology
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.holds import CASH
from venue_protocol.securities import Security
from venue_protocol.settlement import SettlementBatch
from venue_storage.listed_securities import ListedSecurities

SECURITIES = ("AAPL", "MSFT")
SECOND_SHARD = Security("NVDA", "of a second shard", 1, 100, 1, 5000, 1_000_000)


class SyntheticVenue:
    """Clients trade by `play`; `settle` and `record` bring the clearinghouse and the feed up to
    date.
    """

    def __init__(self, provisioned: Provisioned, seed: int = 1, shards: int = 1) -> None:
        self.provisioned = provisioned
        self.clock = ManualClock()
        self.dice = random.Random(seed)
        self.clearing = Database(provisioned.owner_clearing_url, "test", pool_size=2)
        self.market = Database(provisioned.owner_market_url, "test", pool_size=1)
        self._bus = MemoryBus()
        self._bus.declare([*topology.DURABLE_QUEUES, topology.order_entry_queue(1)])
        store = self.store = PostgresLedgerStore(self.clearing)
        self.stopping = threading.Event()
        self.settlement_desk = SettlementDesk(store, self._bus.publisher(), self.stopping)
        self._reports = self._bus.consumer(topology.DATA_FEED, prefetch=100_000)
        self.administration = Administration(self.settlement_desk, store, self.clock)
        self.proposals = ProposalDesk(self.settlement_desk, self.clock)
        self.clients_desk = ClientAdministration(store, self.clock)
        self.fees = FeeDesk(RecordedFeeChanges(store, self.clock))
        self.listed = ListedSecurities(self.clearing)
        self.listed.look_for()
        self.committer = Committer(
            PostgresOrderLog(self.clearing),
            self._bus.publisher(),
            self.clock,
            self.listed,
            self.stopping,
            fees=self.fees.schedule,
        )
        self._commands = [
            self._bus.consumer(topology.order_entry_queue(shard), 100_000)
            for shard in range(shards)
        ]
        self.engines = [MatchingEngine(shard) for shard in range(shards)]
        self.securities = [*SECURITIES, *[SECOND_SHARD.security_id][: shards - 1]]
        self._unsettled: list[EventBatch] = []
        self._unrecorded: list[EventBatch] = []
        self._inbox = Inbox({})
        self._working: dict[int, WorkingOrder] = {}
        self.clients: list[str] = []
        self._names = 0
        if shards > 1:
            self.administration.list_security(SECOND_SHARD, 1_000_000)
            self.execute("clearing", "INSERT INTO order_log_heads VALUES (1, 0, 0)")
        self._record_first_reports()

    @property
    def engine(self) -> MatchingEngine:
        """The first shard's."""
        return self.engines[0]

    def close(self) -> None:
        self.clearing.close()
        self.market.close()

    def open_accounts(self, traders: int = 4, makers: int = 2) -> None:
        """Traders with $10,000.00, and makers with cash and shares."""
        for number in range(traders):
            self.administration.create_client(f"trader{number}", "trader")
            self.clients.append(f"trader{number}")
        for number in range(makers):
            shares = dict.fromkeys(SECURITIES, 5000)
            self.administration.create_client(f"maker{number}", "market_maker", 10**12, shares)
            self.clients.append(f"maker{number}")

    def play(self, commits: int, most: int = 8) -> None:
        """So many commits of random commands, with a deposit now and then, everything settled and
        recorded soon.
        """
        for _ in range(commits):
            self.clock.advance(self.dice.randrange(1, 10_000))
            self.commit([self.command() for _ in range(self.dice.randrange(1, most))])
            if self.dice.random() < 0.1:
                self.deposit()
            if self.dice.random() < 0.5:
                self.settle(self.dice.randrange(len(self.engines)))
            if self.dice.random() < 0.5:
                self.record()
        self.settle()
        self.record()

    def commit(self, candidates: Sequence[Candidate]) -> None:
        """One commit of the door, matched at once."""
        if candidates:
            self.committer.enqueue(candidates)
        self.committer.step(0)
        for commands, engine in zip(self._commands, self.engines, strict=True):
            for delivery in commands.receive(0, 1_000):
                batch = codec.decode(delivery.body)
                assert isinstance(batch, CommandBatch)
                events = engine.apply(batch)
                self._unsettled.append(events)
                self._unrecorded.append(events)

    def settle(self, shard: int | None = None) -> None:
        """The clearinghouse handles all events there are (of this shard), one shard after the
        other.
        """
        for number in range(len(self.engines)) if shard is None else [shard]:
            events = [batch for batch in self._unsettled if batch.shard == number]
            self._unsettled = [batch for batch in self._unsettled if batch.shard != number]
            if events:
                self.settlement_desk.settle(events)

    def record(self) -> None:
        """The feed records all events and settlement reports there are."""
        for events in self._unrecorded:
            self._inbox.take_events(events)
        self._unrecorded = []
        for delivery in self._reports.receive(0, 100_000):
            message = codec.decode(delivery.body)
            if isinstance(message, SettlementBatch):
                self._inbox.take_settlements(message)
        self._write_record()

    def place(
        self, client_id: str, side: Any, quantity: int, price_e4: int, security_id: str = "AAPL"
    ) -> PlaceCandidate:
        self._names += 1
        self.listed.look_for([security_id])
        security = self.listed[security_id]
        return PlaceCandidate(
            client_id, security, side, "limit", "GTC", quantity, price_e4, f"n{self._names}"
        )

    def deposit(self) -> None:
        self._names += 1
        client_id = self.dice.choice(self.clients)
        asset = self.dice.choice([CASH, *self.securities])
        self.administration.deposit(
            client_id, asset, self.dice.randrange(1, 100), f"gift{self._names}"
        )

    @contextmanager
    def planted(
        self, database: str, table: str, where: str, column: str, change: Callable[[Any], Any]
    ) -> Iterator[Any]:
        """One value of one row is another within the block; yields what it was."""
        ((was,),) = self.read(database, f"SELECT {column} FROM {table} WHERE {where}")
        assert change(was) != was
        self.execute(database, f"UPDATE {table} SET {column} = %s WHERE {where}", (change(was),))
        try:
            yield was
        finally:
            self.execute(database, f"UPDATE {table} SET {column} = %s WHERE {where}", (was,))

    @contextmanager
    def missing(self, database: str, table: str, where: str) -> Iterator[None]:
        """One or two rows are not there within the block."""
        rows = self.read(database, f"SELECT * FROM {table} WHERE {where}")
        assert rows
        self.execute(database, f"DELETE FROM {table} WHERE {where}")
        try:
            yield
        finally:
            for row in rows:
                self.execute(
                    database, f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row
                )

    def execute(self, database: str, statement: str, parameters: Sequence[object] = ()) -> None:
        """What only the owner can do, and only with the guards switched off."""
        url = (
            self.provisioned.owner_clearing_url
            if database == "clearing"
            else self.provisioned.owner_market_url
        )
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(statement, parameters or None)
        connection.close()

    def read(
        self, database: str, statement: str, parameters: Sequence[object] = ()
    ) -> list[tuple[Any, ...]]:
        with (self.clearing if database == "clearing" else self.market).transaction() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def command(self) -> Candidate:
        client_id = self.dice.choice(self.clients)
        kind = self.dice.random()
        engine = self.dice.choice(self.engines)
        own = engine.clients.get(client_id)
        if kind < 0.15 and own and own.order_ids:
            return CancelCandidate(client_id, self.dice.choice(own.order_ids), None)
        if kind < 0.3 and own and own.order_ids:
            price_e4 = self._price() if self.dice.random() < 0.5 else None
            order_id = self.dice.choice(own.order_ids)
            return AmendCandidate(
                client_id, order_id, None, self.dice.randrange(1, 20), price_e4, None
            )
        if kind < 0.32:
            return CancelAllCandidate(client_id, engine.shard, None)
        candidate = self.place(
            client_id,
            self.dice.choice(["BUY", "SELL"]),
            self.dice.randrange(1, 15),
            self._price(),
            self.dice.choice(self.securities),
        )
        candidate.time_in_force = self.dice.choice(["GTC", "GTC", "GTC", "IOC", "FOK"])
        if candidate.time_in_force != "GTC" and self.dice.random() < 0.5:
            candidate.order_type = "market"
        return candidate

    def _price(self) -> int:
        return self.dice.randrange(9_900, 10_100) * 100

    def _record_first_reports(self) -> None:
        """What was settled before the feed began: it reads these reports from clearing_data."""
        rows = self.read("clearing", "SELECT report FROM settlement_reports ORDER BY sequence")
        reports = [codec.decode_report(row[0]) for row in rows]
        if reports:
            self._inbox.take_settlements(SettlementBatch(codec.SCHEMA, 1, reports))
        self._write_record()

    def _write_record(self) -> None:
        due = self._inbox.take_due()
        if due.is_empty():
            return
        fold = Fold(self._working)
        for batch, first_new in due.events:
            fold.apply(batch, first_new)
        record = record_writer.compose(due, fold)
        with self.market.transaction() as cursor:
            record_writer.write(cursor, record)
