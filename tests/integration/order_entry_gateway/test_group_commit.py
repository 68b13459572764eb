"""Group commit on a real database: gap-free, covered, once, with several gateways at the same
time.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.administration import Administration
from clearinghouse.handlers import SettlementDesk
from migrations.provision import Provisioned
from order_entry_gateway.adapters.order_log_store import PostgresOrderLog
from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.requests import PlaceOrderRequest
from order_entry_gateway.domain.validation import (
    AmendCandidate,
    CancelCandidate,
    PlaceCandidate,
    check_place,
)
from order_entry_gateway.loops.group_commit import Committer
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock, SystemClock
from service_runtime.database import Database
from venue_protocol import codec, topology
from venue_protocol.commands import AmendOrder, CancelOrder, CommandBatch
from venue_protocol.refusals import Refusal, RejectReason
from venue_storage.listed_securities import ListedSecurities


class Door:
    """Two gateways on one database, as an organiser with much traffic would run them."""

    def __init__(self, provisioned: Provisioned, gateways: int = 2) -> None:
        self.bus = MemoryBus()
        self.bus.declare(topology.DURABLE_QUEUES)
        self.queue = self.bus.consumer(topology.ORDER_ENTRY, prefetch=100_000)
        self.stopping = threading.Event()
        self.owner = Database(provisioned.owner_clearing_url, "test")
        url = provisioned.clearing_url("order_entry_gateway")
        self.databases = [Database(url, "test") for _ in range(gateways)]
        self.securities = ListedSecurities(self.databases[0])
        self.securities.look_for()
        self.committers = [
            Committer(
                PostgresOrderLog(database),
                self.bus.publisher(),
                SystemClock(),
                self.securities,
                self.stopping,
            )
            for database in self.databases
        ]
        self.threads = [threading.Thread(target=committer.run) for committer in self.committers]
        for thread in self.threads:
            thread.start()
        store = PostgresLedgerStore(self.owner)
        desk = SettlementDesk(store, self.bus.publisher(), threading.Event())
        self.administration = Administration(desk, store, ManualClock())

    def close(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        for database in [*self.databases, self.owner]:
            database.close()

    def place(
        self, client_id: str, quantity: int = 1, name: str | None = None, side: str = "BUY"
    ) -> PlaceCandidate:
        request = PlaceOrderRequest(
            "AAPL", side, "limit", quantity, msgspec.Raw(b"100"), None, name
        )  # type: ignore[arg-type]
        checked = check_place(request, client_id, self.securities)
        assert isinstance(checked, PlaceCandidate)
        return checked

    def rows(self) -> list[tuple[int, int, str]]:
        with self.owner.transaction() as cursor:
            cursor.execute("SELECT sequence, time_us, command FROM order_log ORDER BY sequence")
            return list(cursor.fetchall())

    def held_e4(self, client_id: str) -> int:
        with self.owner.transaction() as cursor:
            cursor.execute("SELECT held_e4 FROM accounts WHERE client_id = %s", (client_id,))
            return int(cursor.fetchone()[0])

    def published(self) -> list[CommandBatch]:
        messages = [codec.decode(delivery.body) for delivery in self.queue.receive(0, 100_000)]
        return [message for message in messages if isinstance(message, CommandBatch)]


_names = iter(range(10_000))


@pytest.fixture
def door(provisioned: Provisioned) -> Iterator[Door]:
    made = Door(provisioned)
    yield made
    made.close()


@pytest.fixture
def trader(door: Door) -> str:
    name = f"trader{next(_names)}"
    door.administration.create_client(name, "trader")
    return name


def accepted(decisions: list[Decision]) -> list[Accepted]:
    return [decision for decision in decisions if isinstance(decision, Accepted)]


def test_the_log_has_no_gap_and_time_rises_when_two_gateways_write_at_once(
    door: Door, trader: str
) -> None:
    door.published()
    before = len(door.rows())
    with ThreadPoolExecutor(16) as pool:
        submitted = [
            pool.submit(door.committers[number % 2].submit, [door.place(trader, 1, f"gap{number}")])
            for number in range(95)
        ]
        decisions = [future.result()[0] for future in submitted]
    rows = door.rows()
    assert len(accepted(decisions)) == 95
    assert [row[0] for row in rows] == list(range(1, before + 96))
    times = [row[1] for row in rows]
    assert times == sorted(times)
    assert door.held_e4(trader) == 95 * 1_000_000
    published = sorted((batch.first, batch.last) for batch in door.published())
    assert sum(last - first + 1 for first, last in published) == 95


def test_two_open_orders_can_not_spend_the_same_dollar_through_two_gateways(
    door: Door, trader: str
) -> None:
    """Case 17: 200 orders of $100 at once against $10,000: exactly 100 are accepted."""
    with ThreadPoolExecutor(16) as pool:
        futures = [
            pool.submit(door.committers[number % 2].submit, [door.place(trader)])
            for number in range(200)
        ]
        decisions = [future.result()[0] for future in futures]
    assert len(accepted(decisions)) == 100
    assert door.held_e4(trader) == 100_000_000


def test_the_same_order_through_two_gateways_at_once_is_one_order(door: Door, trader: str) -> None:
    """Case 4."""
    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(door.committers[number % 2].submit, [door.place(trader, 3, "once")])
            for number in range(24)
        ]
        decisions = accepted([future.result()[0] for future in futures])
    assert len(decisions) == 24
    assert len({decision.order_id for decision in decisions}) == 1
    assert sum(not decision.is_duplicate for decision in decisions) == 1
    assert door.held_e4(trader) == 3_000_000


def test_a_cancel_and_an_amend_of_an_order_in_the_same_list_carry_its_id(
    door: Door, trader: str
) -> None:
    placed, amended, canceled = accepted(
        door.committers[0].submit(
            [
                door.place(trader, 3, "list"),
                AmendCandidate(trader, None, "list", 2, None, None),
                CancelCandidate(trader, None, "list"),
            ]
        )
    )
    assert isinstance(amended.command, AmendOrder) and isinstance(canceled.command, CancelOrder)
    assert (
        placed.order_id == amended.command.order_id == canceled.command.order_id == placed.sequence
    )
    assert [codec.decode_command(row[2]) for row in door.rows()[-3:]] == [
        placed.command,
        amended.command,
        canceled.command,
    ]


def test_what_is_published_is_what_is_logged(door: Door, trader: str) -> None:
    door.published()
    door.committers[0].submit([door.place(trader, 1), door.place(trader, 2), door.place(trader, 3)])
    (batch,) = door.published()
    rows = door.rows()[-3:]
    assert [(sequence, command) for sequence, command in batch.numbered()] == [
        (row[0], codec.decode_command(row[2])) for row in rows
    ]
    assert {row[1] for row in rows} == {batch.time_us}


def test_an_amend_builds_on_the_terms_of_the_newest_amend(door: Door, trader: str) -> None:
    (placed,) = accepted(door.committers[0].submit([door.place(trader, 10)]))
    door.committers[0].submit([AmendCandidate(trader, placed.order_id, None, 20, None, None)])
    assert door.held_e4(trader) == 20_000_000
    door.committers[1].submit(
        [AmendCandidate(trader, placed.order_id, None, None, 1_010_000, None)]
    )
    assert door.held_e4(trader) == 20_200_000
    door.committers[0].submit([AmendCandidate(trader, placed.order_id, None, 5, None, None)])
    assert door.held_e4(trader) == 20_200_000, "the engine says what an amend downwards frees"


def test_without_a_database_every_order_is_refused_and_nothing_published(door: Door) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing", "test")
    committer = Committer(
        PostgresOrderLog(gone), door.bus.publisher(), SystemClock(), door.securities, door.stopping
    )
    thread = threading.Thread(target=committer.run)
    thread.start()
    door.published()
    (refusal,) = committer.submit([door.place("anyone")])
    assert isinstance(refusal, Refusal) and refusal.reason is RejectReason.NOT_READY
    assert door.published() == []
    door.stopping.set()
    thread.join()
