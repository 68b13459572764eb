"""Settlement on a real database: exactly once through redelivery, kills at any statement, and
gaps.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.administration import Administration
from clearinghouse.client_administration import ClientAdministration
from clearinghouse.handlers import SettlementDesk
from clearinghouse.loops.event_reader import EventReader
from migrations.provision import Provisioned
from service_runtime.api_keys import key_hash
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from service_runtime.database import Database
from venue_protocol import codec, streams, topology
from venue_protocol.events import (
    Event,
    EventBatch,
    OrderAccepted,
    OrderCanceled,
    Trade,
)
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.refusals import Refused
from venue_protocol.settlement import SettlementBatch
from venue_protocol.streams import ResendRequest, StreamPosition

NOW_US = 1_700_000_000_000_000


class Killed(Exception):
    """The process ends here."""


class Desk:
    """A clearinghouse on a database of its own stream, with two clients, one of whom has shares."""

    def __init__(self, provisioned: Provisioned, shard: int) -> None:
        self.shard = shard
        self.database = Database(provisioned.clearing_url("clearinghouse"), "test", pool_size=3)
        self.bus = MemoryBus()
        self.bus.declare([*topology.DURABLE_QUEUES, topology.resend_queue(shard)])
        self.store = PostgresLedgerStore(self.database)
        self.desk = SettlementDesk(self.store, self.bus.publisher(), threading.Event())
        self.administration = Administration(self.desk, self.store, ManualClock())
        self.clients = ClientAdministration(self.store, ManualClock())
        self.buyer, self.seller = f"ann{shard}", f"bob{shard}"
        self.administration.create_client(self.buyer, "trader")
        self.administration.create_client(self.seller, "market_maker", 0, {"AAPL": 100})
        self.consumer = self.bus.consumer(topology.ORDER_EXECUTION, prefetch=1000)
        self.next_event = 1

    def hold(self, client_id: str, cash_e4: int = 0, shares: int = 0) -> None:
        """What the gateway does when it accepts an order."""
        with self.database.transaction() as cursor:
            cursor.execute(
                "UPDATE accounts SET held_e4 = held_e4 + %s WHERE client_id = %s",
                (cash_e4, client_id),
            )
            cursor.execute(
                "UPDATE securities_deposits SET held = held + %s WHERE client_id = %s AND "
                "security_id = 'AAPL'",
                (shares, client_id),
            )

    def trade(
        self, number: int, quantity: int = 10, price_e4: int = 1_000_000, limit_e4: int = 1_005_000
    ) -> Trade:
        trade_id = (self.shard << 40) + number
        return Trade(
            trade_id,
            "AAPL",
            price_e4,
            quantity,
            "BUY",
            5,
            self.buyer,
            limit_e4,
            0,
            4,
            self.seller,
            0,
        )

    def covered_trade(self, number: int, quantity: int = 10) -> Trade:
        self.hold(self.buyer, cash_e4=quantity * 1_005_000)
        self.hold(self.seller, shares=quantity)
        return self.trade(number, quantity)

    def batch(self, *events: Event) -> EventBatch:
        batch = EventBatch(codec.SCHEMA, self.shard, self.next_event, 1, 1, NOW_US, list(events))
        self.next_event = batch.last + 1
        return batch

    def reader(self) -> EventReader:
        return EventReader(
            self.store, self.consumer, self.bus.publisher(), self.desk, threading.Event()
        )

    def deliver(self, reader: EventReader, *messages: object) -> None:
        publisher = self.bus.publisher()
        for message in messages:
            publisher.publish(
                topology.ORDER_EXECUTION,
                message if isinstance(message, bytes) else codec.encode(message),
            )
        reader.handle(self.consumer.receive(0, 1000))

    def state(self) -> list[Any]:
        """Everything that settlement writes about these two clients."""
        with self.database.transaction() as cursor:
            cursor.execute(
                "SELECT client_id, balance_e4, held_e4, report_count, report_hash FROM accounts"
                " WHERE client_id = ANY (%(clients)s) ORDER BY 1",
                {"clients": [self.buyer, self.seller]},
            )
            found = cursor.fetchall()
            cursor.execute(
                "SELECT client_id, quantity, held FROM securities_deposits WHERE client_id = ANY "
                "(%s) ORDER BY 1",
                ([self.buyer, self.seller],),
            )
            found += cursor.fetchall()
            cursor.execute("SELECT count(*), sum(sequence) FROM settlement_reports")
            found += cursor.fetchall()
            cursor.execute(
                "SELECT count(*), sum(journal_id), count(DISTINCT trade_id) FROM journals"
            )
            found += cursor.fetchall()
            cursor.execute("SELECT * FROM settlement_heads")
            return found + cursor.fetchall()

    def reports_published(self) -> list[str]:
        consumer = self.bus.consumer(topology.DATA_FEED)
        messages = [codec.decode(delivery.body) for delivery in consumer.receive(0, 1000)]
        return [
            report.settlement_kind
            for message in messages
            if isinstance(message, SettlementBatch)
            for report in message.reports
            if report.client_id in (self.buyer, self.seller)
        ]


_shards = iter(range(1, 1000))


@pytest.fixture
def desk(provisioned: Provisioned) -> Iterator[Desk]:
    made = Desk(provisioned, next(_shards))
    yield made
    made.database.close()


def test_a_trade_is_settled_once_however_often_it_is_delivered(desk: Desk) -> None:
    """Case 19, and the redelivery of every message ten times over."""
    batches = [desk.batch(desk.covered_trade(number, 2)) for number in (1, 2, 3)]
    batches.append(desk.batch(OrderCanceled(5, desk.buyer, "AAPL", "BUY", 1, 0, "requested")))
    reader = desk.reader()
    desk.deliver(reader, *batches)
    settled = desk.state()
    for _ in range(10):
        desk.deliver(reader, *batches)
        desk.deliver(desk.reader(), *reversed(batches))
    assert desk.state() == settled
    assert settled[0][1] == 100_000_000 - 3 * 2_000_000


def test_killed_at_any_statement_and_redelivered_it_settles_exactly_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 19: killed between delivery and payment, or anywhere else in the transaction."""
    original = desk.database.transaction
    statements_done = 0
    for number in range(1, 40):
        batch = desk.batch(desk.covered_trade(number, 1))
        before = desk.state()
        monkeypatch.setattr(
            desk.database, "transaction", lambda limit=number: killing(original, limit)
        )
        try:
            desk.desk.settle([batch])
            monkeypatch.setattr(desk.database, "transaction", original)
        except Killed:
            monkeypatch.setattr(desk.database, "transaction", original)
            statements_done = number
            assert desk.state() == before
            desk.desk.settle([batch])
        after = desk.state()
        desk.desk.settle([batch])
        assert desk.state() == after
        assert after[-1][2] == before[-1][2] + 1
        if statements_done < number:
            break
    assert statements_done >= 8


@contextmanager
def killing(original: Callable[[], Any], statements: int) -> Iterator[Any]:
    """A transaction whose process dies after so many statements."""
    with original() as cursor:
        yield _DyingCursor(cursor, statements)


class _DyingCursor:
    def __init__(self, cursor: Any, statements: int) -> None:
        self._cursor = cursor
        self._left = statements

    def execute(self, *arguments: Any) -> None:
        self._live()
        self._cursor.execute(*arguments)

    def copy_expert(self, *arguments: Any) -> None:
        self._live()
        self._cursor.copy_expert(*arguments)

    def _live(self) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


def test_a_gap_is_noticed_asked_for_and_healed(desk: Desk) -> None:
    first, second, third = (desk.batch(desk.covered_trade(number, 1)) for number in (1, 2, 3))
    reader = desk.reader()
    desk.deliver(reader, first)
    desk.deliver(reader, third)
    assert not reader.is_caught_up()
    (request,) = desk.bus.consumer(topology.resend_queue(desk.shard)).receive(0, 10)
    assert codec.decode(request.body) == ResendRequest(
        codec.SCHEMA, streams.events(desk.shard), first.last, topology.ORDER_EXECUTION
    )
    settled = desk.state()
    assert settled[0][1] == 100_000_000 - 1_000_000
    desk.deliver(reader, second, third)
    assert reader.is_caught_up()
    assert desk.state()[0][1] == 100_000_000 - 3 * 1_000_000


def test_a_lost_last_message_is_noticed_by_the_announced_position(desk: Desk) -> None:
    desk.bus.declare([topology.resend_queue(desk.shard)])
    reader = desk.reader()
    batch = desk.batch(desk.covered_trade(1, 1))
    desk.deliver(reader, StreamPosition(codec.SCHEMA, streams.events(desk.shard), batch.last))
    (delivery,) = desk.bus.consumer(topology.resend_queue(desk.shard)).receive(0, 10)
    assert codec.decode(delivery.body) == ResendRequest(
        codec.SCHEMA, streams.events(desk.shard), 0, topology.ORDER_EXECUTION
    )


def test_a_malformed_message_goes_to_the_dead_letters_and_stops_nothing(desk: Desk) -> None:
    reader = desk.reader()
    desk.deliver(reader, b"\xff not json", desk.batch(desk.covered_trade(1, 1)))
    (dead,) = desk.bus.consumer(topology.DEAD_LETTERS).receive(0, 10)
    assert dead.body == b"\xff not json" and dead.headers["reason"]
    assert desk.state()[0][1] == 99_000_000


def test_a_trade_that_is_not_covered_moves_nothing_and_both_sides_are_told(desk: Desk) -> None:
    """Case 18.

    The buyer's limit held 10 x 100.50, but 10 x 1,100.00 is to be paid: more than the account has.
    """
    overpriced = msgspec.structs.replace(desk.covered_trade(1), price_e4=11_000_000)
    desk.desk.settle([desk.batch(overpriced)])
    assert desk.reports_published()[-2:] == ["failed_trade", "failed_trade"]
    state = desk.state()
    assert state[0][1:3] == (100_000_000, 0) and state[2] == (desk.seller, 100, 0)
    with desk.database.transaction() as cursor:
        cursor.execute("SELECT reason FROM obligations WHERE trade_id = %s", (overpriced.trade_id,))
        assert cursor.fetchone() is not None


def test_a_fill_of_more_than_was_held_is_a_broken_invariant_and_moves_nothing(desk: Desk) -> None:
    before = desk.state()
    with pytest.raises(BrokenInvariant):
        desk.desk.settle([desk.batch(desk.trade(1))])
    assert desk.state() == before


def test_the_best_price_frees_the_rest_of_the_hold_to_the_cent(desk: Desk) -> None:
    """Case 20."""
    desk.desk.settle([desk.batch(desk.covered_trade(1))])
    assert desk.state()[0][1:3] == (90_000_000, 0)


def test_each_trader_starts_with_exactly_ten_thousand_dollars(desk: Desk) -> None:
    assert desk.state()[0][1] == 100_000_000
    with pytest.raises(Refused) as refused:
        desk.administration.create_client("rich", "trader", 200_000_000)
    assert refused.value.refusal.reason.code == "client.starting_cash_fixed"


def test_a_deposit_with_the_same_key_is_made_once(desk: Desk) -> None:
    first = desk.administration.deposit(desk.buyer, CASH, 12_300, f"gift{desk.shard}")
    again = desk.administration.deposit(desk.buyer, CASH, 12_300, f"gift{desk.shard}")
    assert (again.journal_id, again.duplicate) == (first.journal_id, True)
    assert desk.state()[0][1] == 100_012_300
    with pytest.raises(Refused) as refused:
        desk.administration.deposit(desk.buyer, CASH, 12_400, f"gift{desk.shard}")
    assert refused.value.refusal.reason.code == "request.idempotency_key_reused"


def test_keys_are_stored_hashed_and_shown_once(desk: Desk) -> None:
    key = desk.clients.add_key(desk.buyer)
    with desk.database.transaction() as cursor:
        cursor.execute("SELECT key_hash FROM api_keys WHERE client_id = %s", (desk.buyer,))
        hashes = [bytes(row[0]) for row in cursor]
    assert key_hash(key) in hashes and key.encode() not in b"".join(hashes)
    assert desk.clients.revoke_keys(desk.buyer) == 2


def test_a_deposit_between_settlements_keeps_the_report_sequence_without_a_hole(desk: Desk) -> None:
    desk.desk.settle([desk.batch(desk.covered_trade(1, 1))])
    desk.administration.deposit(desk.buyer, CASH, 1, f"cent{desk.shard}")
    desk.desk.settle([desk.batch(desk.covered_trade(2, 1))])
    with desk.database.transaction() as cursor:
        cursor.execute("SELECT count(*), min(sequence), max(sequence) FROM settlement_reports")
        count, lowest, highest = cursor.fetchone()
        cursor.execute(
            "SELECT count(*), max(client_sequence) FROM settlement_reports WHERE client_id = %s",
            (desk.buyer,),
        )
        own, newest = cursor.fetchone()
    assert (count, lowest) == (highest, 1) and own == newest


def test_events_that_move_nothing_still_move_the_position(desk: Desk) -> None:
    accepted = OrderAccepted(5, desk.buyer, "AAPL", "BUY", "limit", "GTC", 10, 1_005_000)
    desk.desk.settle([desk.batch(accepted)])
    with desk.database.transaction() as cursor:
        cursor.execute(
            "SELECT sequence FROM stream_positions WHERE stream = %s", (streams.events(desk.shard),)
        )
        assert cursor.fetchone() == (1,)
