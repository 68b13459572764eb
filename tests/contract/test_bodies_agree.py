"""The same orders through both bodies: the same decisions, the same log, the same balances, the
same reports.
"""

import random
from collections.abc import Sequence
from threading import Event

from clearinghouse.bootstrap import SECURITIES
from clearinghouse.handlers import SettlementDesk
from matching_engine.domain.engine import MatchingEngine
from migrations.provision import Provisioned
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.refusal_reporter import RefusalReporter
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from service_runtime.http.authentication import Caller
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores
from venue_protocol import codec, topology
from venue_protocol.commands import CommandBatch
from venue_protocol.holds import CASH
from venue_simulation.clients import Client, ClientAction

NAMES = ("client0", "client1", "client2")


class Venue:
    """Door, engine and clearinghouse on one body; `play` takes requests and answers as a client
    would see them.
    """

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.clock = ManualClock()
        self.bus = MemoryBus()
        self.bus.declare(topology.DURABLE_QUEUES)
        publisher = self.bus.publisher()
        securities = {security.security_id: security for security in SECURITIES}
        self.committer = Committer(stores.log, publisher, self.clock, securities, Event())
        reporter = RefusalReporter(publisher, self.clock, Event(), "run")
        self.door = OrderDesk(
            self.committer, securities, NothingRecorded(), Unlimited(), reporter, lambda: True
        )
        self.orders = self.bus.consumer(topology.ORDER_ENTRY, prefetch=1000)
        self.reports = self.bus.consumer(topology.DATA_FEED, prefetch=100_000)
        self.engine = MatchingEngine()
        self.clearing = SettlementDesk(stores.ledger, publisher, Event())
        self.said: list[object] = []
        for name in NAMES:
            stores.administration.create_client(
                name, "market_maker", 20_000_000, {"AAPL": 30, "MSFT": 30}
            )

    def play(self, requests: list[tuple[Caller, list[ClientAction]]]) -> None:
        """One group commit of these requests, matched and settled at once."""
        self.clock.advance(1_000)
        pending = [self.door.begin(caller, actions) for caller, actions in requests]
        self.committer.step(0)
        self.said.append([request.answers() for request in pending])
        for delivery in self.orders.receive(0, 1000):
            self.said.append(delivery.body)
            batch = codec.decode(delivery.body)
            assert isinstance(batch, CommandBatch)
            self.clearing.settle([self.engine.apply(batch)])

    def standing(self) -> list[object]:
        """Everything said and published, and every position at the end."""
        self.said += [delivery.body for delivery in self.reports.receive(0, 100_000)]
        with self.stores.ledger.transaction() as transaction:
            settlement = transaction.lock(
                {(name, asset) for name in NAMES for asset in (CASH, "AAPL", "MSFT")}
            )
            self.said += [
                sorted(settlement.ledger.positions.items()),
                sorted(settlement.chains.items()),
            ]
            self.said += [
                settlement.last_journal_id,
                settlement.last_report_sequence,
                transaction.position("events.0"),
            ]
        return self.said


class NothingRecorded:
    """The record of a feed that is away."""

    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """Nothing."""
        return {}

    def order(self, order_id: int) -> None:
        """Nothing."""

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """Nobody knows."""
        return {}


class Unlimited:
    """Everybody may send as much as he likes."""

    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Nothing."""


def test_both_bodies_give_the_same_venue(provisioned: Provisioned) -> None:
    """The simulation is worth as much as memory is like Postgres."""
    postgres = postgres_stores(provisioned)
    venues = [Venue(postgres), Venue(memory_stores())]
    dice = random.Random(1)
    clients = [
        Client(name, ["AAPL", "MSFT"], random.Random(dice.random()), ManualClock().now_us)
        for name in NAMES
    ]
    for _ in range(150):
        senders = dice.sample(clients, dice.randint(1, 3))
        requests = [(sender.caller, sender.next_actions(clients)) for sender in senders]
        # A repetition in the same commit, and one of an old request, now and then.
        requests += dice.choices(requests, k=dice.randint(0, 1))
        for venue in venues:
            venue.play(requests)
        for sender in clients:
            sender.order_ids = list(venues[1].engine.orders)[-8:]
    on_postgres, in_memory = (venue.standing() for venue in venues)
    for left, right in zip(on_postgres, in_memory, strict=True):
        assert left == right
    assert venues[0].engine.trade_count > 20
    postgres.close()
