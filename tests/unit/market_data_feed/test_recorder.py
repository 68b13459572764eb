"""The recorder on a record in memory: what waited long is written in several transactions, to the
same record.
"""

from threading import Event

import pytest

from market_data_feed.adapters.memory_record import MemoryRecord, Tables
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.domain.market import Market
from market_data_feed.loops.recorder import Recorder
from service_runtime.buses.memory import MemoryBus
from tests.unit.market_data_feed.random_tape import RandomMarket
from venue_protocol import codec, topology
from venue_simulation.processes import ClearingReader
from venue_storage.memory_clearing_data import MemoryClearing


class _Silence:
    def schedule_flush(self) -> None:
        """Nobody listens."""


def _record_all(at_once: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Tables]:
    """Commits of one step over the whole tape, and the record after it."""
    monkeypatch.setattr("market_data_feed.loops.recorder.MOST_ROWS", 10**9 if at_once else 40)
    bus, record, commits = MemoryBus(), MemoryRecord(), []
    bus.declare(topology.DURABLE_QUEUES)
    publisher = bus.publisher()
    clearing = ClearingReader(MemoryClearing())
    hub = Hub(Market(), _Silence())  # type: ignore[arg-type]
    consumer = bus.consumer(topology.DATA_FEED, 200)
    recorder = Recorder(consumer, publisher, record, clearing, hub, Event())
    recorder.load()
    tape = RandomMarket(seed=3).play(60)
    for batch in tape.batches:
        publisher.publish(topology.DATA_FEED, codec.encode(batch))
    record.on_commit = lambda: commits.append(1)
    assert recorder.step(0) == len(tape.batches)
    assert bus.depth(topology.DATA_FEED) == 0
    return len(commits), record.tables


def test_what_waited_long_is_recorded_in_bites_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    together, whole = _record_all(True, monkeypatch)
    several, same = _record_all(False, monkeypatch)
    assert together == 1 < several
    assert whole == same and whole.orders
