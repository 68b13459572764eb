"""The record on real Postgres and RabbitMQ: each fact once, in order, with its position; gaps
noticed and healed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from market_data_feed.domain.orders import Fold
from service_runtime.buses.rabbitmq import RabbitBus
from tests.integration.market_data_feed.conftest import Clearing, RunningFeed, wait_until
from tests.integration.market_data_feed.recorded import assert_record_equals, dump
from tests.integration.market_data_feed.settlements import settle, settled_already, settlement
from tests.unit.market_data_feed.random_tape import RandomMarket
from tests.unit.market_data_feed.tape import START_US, Tape
from venue_protocol import codec
from venue_protocol.commands import CommandBatch
from venue_protocol.settlement import SettlementBatch
from venue_protocol.streams import OrderRejected, OrderReports, ResendRequest, StreamPosition
from venue_protocol.topology import DEAD_LETTERS, RESEND_REQUESTS


def test_a_random_market_is_recorded_as_folded_from_nothing(feed: RunningFeed) -> None:
    tape = RandomMarket(seed=1).play(300)
    feed.record(*tape.batches)
    assert_record_equals(feed.clearing, tape)


def test_every_message_delivered_ten_times_over_changes_nothing(feed: RunningFeed) -> None:
    tape = RandomMarket(seed=2).play(60)
    first = settled_already(feed.clearing) + 1
    batches = [settle(feed.clearing, settlement(n)) for n in range(first, first + 5)]
    refusals = OrderReports(
        1, "run-1", 1, START_US, [OrderRejected("alice", "price.off_tick", "no")]
    )
    feed.record(*tape.batches)
    feed.send(*batches, refusals)
    feed.wait_for_position("settlements", first + 4)
    wait_until(lambda: feed.clearing.recorded("SELECT 1 FROM refused_orders"))
    before = dump(feed.clearing)
    for _ in range(10):
        feed.send(*tape.batches, *batches, refusals)
    last = tape.batch("new 9999 alice BUY 1@1.00")
    feed.record(last)
    after = dump(feed.clearing)
    assert [row for row in after["orders"] if row[0] != 9999] == before["orders"]
    assert [row for row in after["order_reports"] if row[2] != 9999] == before["order_reports"]
    for table in ("trades", "settlements", "refused_orders"):
        assert after[table] == before[table]


def test_a_late_report_never_turns_the_status_back(feed: RunningFeed) -> None:
    tape = Tape()
    feed.record(
        tape.batch("new 1 alice SELL 10@1.05"),
        tape.batch("new 2 bob BUY 4@1.05", "trade 2 1 4@1.05 BUY"),
    )
    assert feed.get("/v1/orders/1", "alice")["status"] == "partially_filled"
    feed.record(tape.batch("new 3 bob BUY 6@1.05", "trade 3 1 6@1.05 BUY"))
    assert feed.get("/v1/orders/1", "alice")["status"] == "filled"
    feed.send(*tape.batches)
    feed.record(tape.batch("new 4 alice SELL 5@1.05", "cancel 4"))
    feed.send(*tape.batches)
    feed.record(tape.batch("new 5 alice SELL 5@1.05"))
    assert feed.get("/v1/orders/1", "alice")["status"] == "filled"
    assert feed.get("/v1/orders/4", "alice")["status"] == "canceled"


def test_a_gap_is_noticed_and_healed_by_a_resend(feed: RunningFeed, rabbit_bus: RabbitBus) -> None:
    tape = RandomMarket(seed=3).play(40)
    feed.record(*tape.batches[:10])
    feed.send(*tape.batches[20:])
    (request,) = rabbit_bus.consumer(RESEND_REQUESTS).receive(10, 1)
    expected = ResendRequest(1, "events.0", tape.batches[9].last, "data_feed")
    assert codec.decode(request.body) == expected
    status = feed.get("/v1/status")
    assert (status["status"], status["behind"]) == ("catching_up", ["events.0"])
    assert status["positions"]["events.0"] == tape.batches[9].last
    feed.send(*tape.batches[10:])
    feed.wait_for_position("events.0", tape.batches[-1].last)
    assert_record_equals(feed.clearing, tape)
    assert feed.get("/v1/status")["status"] == "ready"


def test_a_lost_last_message_is_noticed_by_the_announced_position(
    feed: RunningFeed, rabbit_bus: RabbitBus
) -> None:
    tape = RandomMarket(seed=4).play(4)
    feed.record(*tape.batches[:3])
    feed.send(StreamPosition(1, "events.0", tape.batches[-1].last))
    resends = rabbit_bus.consumer(RESEND_REQUESTS)
    (request,) = resends.receive(10, 1)
    assert codec.decode(request.body) == ResendRequest(
        1, "events.0", tape.batches[2].last, "data_feed"
    )
    resends.ack(request)
    (again,) = resends.receive(10, 1)
    assert again.body == request.body
    feed.record(tape.batches[-1])
    assert_record_equals(feed.clearing, tape)


def test_settlements_that_never_came_are_read_from_clearing_data(feed: RunningFeed) -> None:
    before = settled_already(feed.clearing)
    feed.wait_for_position("settlements", before)
    settle(feed.clearing, *(settlement(before + n) for n in (1, 2, 3)))
    last = settle(feed.clearing, settlement(before + 4))
    feed.send(last)
    feed.wait_for_position("settlements", before + 4)
    settle(feed.clearing, settlement(before + 5))
    feed.send(StreamPosition(1, "settlements", before + 5))
    feed.wait_for_position("settlements", before + 5)
    columns = "sequence, client_id, client_sequence, report"
    rows = feed.clearing.recorded(f"SELECT {columns} FROM settlements ORDER BY 1")
    assert rows == feed.clearing.execute(f"SELECT {columns} FROM settlement_reports ORDER BY 1")


def test_killed_and_restarted_it_goes_on_where_the_record_ends(feed: RunningFeed) -> None:
    market = RandomMarket(seed=5)
    tape = market.play(200)
    feed.record(*tape.batches[:50])
    for start in (50, 100, 150):
        feed.send(*tape.batches[start : start + 50])
        feed.kill()
        feed.start()
    feed.wait_for_position("events.0", tape.batches[-1].last)
    assert_record_equals(feed.clearing, tape)
    fresh = Fold({})
    for batch in tape.batches:
        fresh.apply(batch, batch.first)
    open_orders = [
        o
        for o in fresh.touched.values()
        if o.leaves and o.security_id == "AAPL" and o.side == "BUY"
    ]
    book = feed.get("/v1/book/AAPL?depth=500")
    assert sum(level["quantity"] for level in book["bids"]) == sum(o.leaves for o in open_orders)
    assert sum(level["orders"] for level in book["bids"]) == len(open_orders)


def test_books_and_last_prices_are_the_same_after_a_restart(feed: RunningFeed) -> None:
    feed.record(*RandomMarket(seed=6).play(150).batches)
    paths = [
        "/v1/book/AAPL?depth=500",
        "/v1/book/MSFT?depth=500",
        "/v1/price/AAPL",
        "/v1/price/MSFT",
    ]

    def shown() -> list[Any]:
        answers = [feed.get(path) for path in paths]
        return [
            {k: v for k, v in a.items() if k not in ("sequence", "time_us", "time")}
            for a in answers
        ]

    before = shown()
    assert feed.stop() == 0
    feed.start()
    assert shown() == before


def test_poison_goes_to_the_dead_letters_with_a_reason_and_stops_nothing(
    feed: RunningFeed, rabbit_bus: RabbitBus
) -> None:
    tape = RandomMarket(seed=7).play(3)
    newer = codec.encode(tape.batches[0]).replace(b'"schema":1', b'"schema":2')
    liar = SettlementBatch(1, 7, [settlement(8)])
    poison = [
        b"\xff\x00garbage",
        b"{}",
        newer,
        codec.encode(CommandBatch(1, 0, 1, 1, [])),
        codec.encode(liar),
    ]
    feed.send(*poison)
    feed.record(*tape.batches)
    dead = wait_until(lambda: rabbit_bus.consumer(DEAD_LETTERS).receive(5, 10))
    assert {delivery.body for delivery in dead} <= set(poison) and dead[0].body == poison[0]
    assert all(delivery.headers["reason"] for delivery in dead)
    assert_record_equals(feed.clearing, tape)


def test_refusals_are_recorded_whatever_words_they_carry(feed: RunningFeed) -> None:
    words = "tab\there, quote ' and \\ and \0, \N{SNOWMAN}"
    reports = [
        OrderRejected("alice", "quantity.too_large", words, "c1", "AAPL", "BUY", 2**70),
        OrderRejected("alice", "security.unknown", "x" * 100_000, words, "NOPE" * 100, "hold", -5),
    ]
    feed.send(OrderReports(1, "run-1", 1, START_US, reports))
    feed.send(OrderReports(1, "run-1", 4, START_US + 1, reports[:1]))
    wait_until(lambda: len(feed.clearing.recorded("SELECT 1 FROM refused_orders")) == 3)
    first, second, _ = feed.clearing.recorded(
        "SELECT quantity, message, side FROM refused_orders ORDER BY number"
    )
    assert first == (None, words.replace("\0", "\N{REPLACEMENT CHARACTER}"), "BUY")
    assert second == (-5, "x" * 256, "hold")
    shown = feed.get("/v1/refused-orders", "alice")["refused_orders"]
    assert shown[0]["reason"] == "quantity.too_large"


@contextmanager
def database_away(clearing: Clearing, server_url: str, name: str) -> Iterator[None]:
    """No connection to this database survives or succeeds inside the block."""

    def execute(statement: str) -> None:
        connection = psycopg2.connect(server_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    database = f"{clearing.provisioned.instance}_{name}"
    execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")
    try:
        execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        )
        yield
    finally:
        execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS true")


def test_while_the_database_is_away_it_says_so_and_loses_nothing(
    feed: RunningFeed, postgres_url: str
) -> None:
    tape = RandomMarket(seed=8).play(80)
    feed.record(*tape.batches[:40])
    with database_away(feed.clearing, postgres_url, "market_data"):
        feed.send(*tape.batches[40:])
        wait_until(lambda: feed.request("/readyz").status_code == 503)
        answer = feed.request("/v1/orders?status=all", "alice")
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert json.loads(answer.text)["error"]["code"] == "service.not_ready"
        assert feed.get("/v1/status")["waiting_for"] == ["market_data"]
    feed.wait_for_position("events.0", tape.batches[-1].last)
    assert_record_equals(feed.clearing, tape)
    wait_until(lambda: feed.request("/readyz").status_code == 200)
