"""Busts and corrections as the feed shows them: last price, tape, and what the streams tell."""

from threading import Event
from typing import Any

import pytest

from market_data_feed.adapters.memory_record import MemoryRecord
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.domain.market import Market
from market_data_feed.domain.trade_corrections import corrections_of
from market_data_feed.loops.recorder import Recorder
from service_runtime.buses.memory import MemoryBus
from tests.unit.market_data_feed.tape import Tape
from venue_protocol import codec, topology
from venue_protocol.settlement import GENESIS_HASH, SettlementBatch, SettlementReport
from venue_simulation.processes import ClearingReader
from venue_storage.memory_clearing_data import MemoryClearing


class Silence:
    def schedule_flush(self) -> None:
        """Nobody listens."""


class Feed:
    """A recorder on a record in memory, and the market that it shows."""

    def __init__(self, record: MemoryRecord | None = None) -> None:
        self.bus, self.record = MemoryBus(), record or MemoryRecord()
        self.bus.declare(topology.DURABLE_QUEUES)
        self.market = Market()
        self.hub = Hub(self.market, Silence())  # type: ignore[arg-type]
        self.recorder = Recorder(
            self.bus.consumer(topology.DATA_FEED, 200),
            self.bus.publisher(),
            self.record,
            ClearingReader(MemoryClearing()),
            self.hub,
            Event(),
        )
        self.recorder.load()

    def take(self, message: Any) -> None:
        self.bus.publisher().publish(topology.DATA_FEED, codec.encode(message))
        self.recorder.step(0)

    def last(self) -> int | None:
        return self.market.security("AAPL").top().last_e4


def told(sequence: int, kind: Any, trade_id: int, price_e4: int) -> SettlementBatch:
    """What both sides are told of a bust or correction, from this sequence on."""
    reports = [
        SettlementReport(
            sequence + place,
            client,
            1,
            kind,
            1,
            0,
            0,
            0,
            1,
            GENESIS_HASH,
            security_id="AAPL",
            holding=0,
            trade_id=trade_id,
            side=side,
            quantity=4,
            price_e4=price_e4,
        )
        for place, (client, side) in enumerate((("alice", "BUY"), ("bob", "SELL")))
    ]
    return SettlementBatch(codec.SCHEMA, sequence, reports)


@pytest.fixture
def tape() -> Tape:
    tape = Tape()
    tape.batch("new 1 alice BUY 10@100.00", "new 2 bob SELL 4@100.00", "trade 1 2 4@100.00 SELL")
    tape.batch("new 3 bob SELL 4@90.00", "trade 1 3 4@100.00 SELL")
    tape.batch("new 4 alice BUY 4@149.00", "new 5 bob SELL 4@149.00", "trade 4 5 4@149.00 SELL")
    return tape


def test_the_last_price_is_that_of_the_newest_trade_that_stands(tape: Tape) -> None:
    feed = Feed()
    for batch in tape.batches:
        feed.take(batch)
    assert feed.last() == 1_490_000
    feed.take(told(1, "bust", 3, 1_490_000))
    assert feed.last() == 1_000_000
    feed.take(told(3, "correction", 2, 900_000))
    assert feed.last() == 900_000
    feed.take(told(5, "bust", 2, 900_000))
    assert feed.last() == 1_000_000
    feed.take(told(7, "bust", 1, 1_000_000))
    assert feed.last() is None
    assert Feed(feed.record).last() is None, "after a restart as well"


def test_a_bust_that_is_told_before_its_trade_is_not_forgotten(tape: Tape) -> None:
    feed = Feed()
    for batch in tape.batches[:2]:
        feed.take(batch)
    feed.take(told(1, "bust", 3, 1_490_000))
    restarted = Feed(feed.record)
    for each in (feed, restarted):
        assert each.last() == 1_000_000
    restarted.take(tape.batches[2])
    assert restarted.last() == 1_000_000


def test_a_trade_after_a_bust_gives_the_last_price(tape: Tape) -> None:
    feed = Feed()
    for batch in tape.batches:
        feed.take(batch)
    feed.take(told(1, "bust", 3, 1_490_000))
    feed.take(tape.batch("new 6 bob SELL 2@100.00", "trade 1 6 2@100.00 SELL"))
    assert feed.last() == 1_000_000
    assert feed.hub.published(("trades", "AAPL")) == 4, "the tape goes on with its own numbers"


def test_a_repeated_message_records_a_bust_once(tape: Tape) -> None:
    feed = Feed()
    for batch in tape.batches:
        feed.take(batch)
    for _ in range(3):
        feed.take(told(1, "bust", 3, 1_490_000))
    (row,) = feed.record.tables.trade_corrections.values()
    assert (row.trade_id, row.sequence, row.status) == (3, 1, "busted")


def test_only_the_buyers_report_of_a_bust_or_correction_counts() -> None:
    reports = told(1, "bust", 3, 1).reports + told(3, "trade", 4, 1).reports
    assert [row.sequence for row in corrections_of(reports)] == [1]
