"""The clearinghouse's reader on a store in memory: what does not belong to it stops nothing."""

from collections.abc import Sequence
from threading import Event
from typing import Any

import pytest

from clearinghouse.handlers import SettlementDesk
from clearinghouse.loops.event_reader import EventReader
from service_runtime.buses.memory import MemoryBus
from venue_protocol import codec, topology
from venue_protocol.commands import CancelOrder, CommandBatch
from venue_protocol.corporate_actions import Split
from venue_protocol.events import CancelRejected, CorporateActionApplied, EventBatch
from venue_protocol.securities import Security
from venue_protocol.streams import ResendRequest, StreamPosition
from venue_simulation.memory_ledger_store import MemoryLedgerStore
from venue_storage.memory_clearing_data import MemoryClearing

ACCEPTABLE = EventBatch(codec.SCHEMA, 0, 1, 1, 1, 5, [CancelRejected(1, "ann", "order.unknown")])
ELSEWHERE = {
    "no JSON": b"\xff",
    "another schema": codec.encode(StreamPosition(2, "events.0", 1)),
    "a command": codec.encode(CommandBatch(codec.SCHEMA, 0, 1, 1, [CancelOrder("ann", 1)])),
    "a request": codec.encode(ResendRequest(codec.SCHEMA, "events.0", 0, "x")),
    "the position of another stream": codec.encode(StreamPosition(codec.SCHEMA, "settlements", 1)),
    "a stream of no shard": codec.encode(StreamPosition(codec.SCHEMA, "events.first", 1)),
    "a shard below zero": codec.encode(EventBatch(codec.SCHEMA, -1, 1, 1, 1, 5, [])),
    "an event number below one": codec.encode(
        EventBatch(codec.SCHEMA, 0, -7, 1, 1, 5, ACCEPTABLE.events)
    ),
}


@pytest.mark.parametrize("body", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_what_does_not_belong_here_goes_to_the_dead_letters_and_the_rest_is_settled(
    body: bytes,
) -> None:
    bus, clearing = MemoryBus(), MemoryClearing()
    bus.declare(topology.DURABLE_QUEUES)
    store, publisher = MemoryLedgerStore(clearing), bus.publisher()
    desk = SettlementDesk(store, publisher, Event())
    reader = EventReader(store, bus.consumer(topology.ORDER_EXECUTION), publisher, desk, Event())
    publisher.publish(topology.ORDER_EXECUTION, body)
    publisher.publish(topology.ORDER_EXECUTION, codec.encode(ACCEPTABLE))
    assert reader.step(0) == 2
    assert [delivery.body for delivery in bus.consumer(topology.DEAD_LETTERS).receive(0, 10)] == [
        body
    ]
    assert clearing.tables.positions == {
        ("clearinghouse", "events.0"): 1,
        ("clearinghouse", "order_log.0"): 1,
    }
    assert bus.depth(topology.ORDER_EXECUTION) == 0 and reader.is_caught_up()


def test_what_waited_long_is_settled_in_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearinghouse.loops.event_reader._MOST_EVENTS", 3)
    bus, clearing = MemoryBus(), MemoryClearing()
    bus.declare(topology.DURABLE_QUEUES)
    store, publisher = MemoryLedgerStore(clearing), bus.publisher()
    desk = _NotingDesk(store, publisher, Event())
    reader = EventReader(store, bus.consumer(topology.ORDER_EXECUTION), publisher, desk, Event())
    first = 1
    for number, count in enumerate((2, 2, 1, 7, 1), 1):
        events = [CancelRejected(number, "ann", "order.unknown")] * count
        batch = EventBatch(codec.SCHEMA, 0, first, number, number, 5, list(events))
        publisher.publish(topology.ORDER_EXECUTION, codec.encode(batch))
        first += count
    assert reader.step(0) == 5
    assert desk.settled == [[2], [2, 1], [7], [1]]
    assert clearing.tables.positions == {
        ("clearinghouse", "events.0"): 13,
        ("clearinghouse", "order_log.0"): 5,
    }


def test_the_messages_of_a_corporate_action_are_settled_together_however_they_come() -> None:
    """Cut into three, the first two in one look and the third in the next: one transaction."""
    bus, clearing = MemoryBus(), MemoryClearing()
    bus.declare(topology.DURABLE_QUEUES)
    store, publisher = MemoryLedgerStore(clearing), bus.publisher()
    desk = _NotingDesk(store, publisher, Event())
    reader = EventReader(store, bus.consumer(topology.ORDER_EXECUTION), publisher, desk, Event())
    clearing.tables.securities["AAPL"] = Security("AAPL", "", 0, 100, 1, 1000, 1_000_000)
    filler = CancelRejected(1, "ann", "order.unknown")
    applied = CorporateActionApplied(1, "AAPL", Split(2, 1, 0), 500_000)
    parts = [
        EventBatch(codec.SCHEMA, 0, 1, 1, 0, 5, [filler]),
        EventBatch(codec.SCHEMA, 0, 2, 1, 0, 5, [applied]),
        EventBatch(codec.SCHEMA, 0, 3, 1, 0, 5, [filler]),
        EventBatch(codec.SCHEMA, 0, 4, 1, 1, 5, [filler]),
    ]
    for look in (parts[:3], parts[3:]):
        for part in look:
            publisher.publish(topology.ORDER_EXECUTION, codec.encode(part))
        reader.step(0)
    assert desk.settled == [[1], [1, 1, 1]]
    assert clearing.tables.securities["AAPL"].reference_price_e4 == 500_000
    assert clearing.tables.positions["clearinghouse", "order_log.0"] == 1


class _NotingDesk(SettlementDesk):
    """Notes how many events come together."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.settled: list[list[int]] = []

    def settle(self, batches: Sequence[EventBatch]) -> None:
        self.settled.append([len(batch.events) for batch in batches])
        super().settle(batches)
