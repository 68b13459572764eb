"""The engine on a real broker and database: restarts, lost and repeated messages, resends
(acceptance case 15).
"""

import pytest

from matching_engine.domain.engine import MatchingEngine
from tests.integration.matching_engine.conftest import EngineProcess
from tests.unit.matching_engine.desk import order
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch, Trade
from venue_protocol.identifiers import shard_and_number
from venue_protocol.topology import DATA_FEED, ORDER_EXECUTION


def expected(*batches: CommandBatch) -> list[EventBatch]:
    """What an undisturbed engine makes of these batches."""
    engine = MatchingEngine(batches[0].shard)
    return [engine.apply(batch) for batch in batches]


def trades(batch: EventBatch) -> list[Trade]:
    """The trades among the events."""
    return [event for event in batch.events if type(event) is Trade]


def commit(engine: EngineProcess, *texts: str) -> CommandBatch:
    """A commit of these orders, not yet published."""
    return engine.commit(*(order(text) for text in texts))


def test_events_reach_both_readers(engine: EngineProcess) -> None:
    batch = commit(engine, "B 10@1.05 ann", "S 10@1.00 bob")
    engine.publish(batch)
    assert (
        engine.events(batch.last, ORDER_EXECUTION)
        == engine.events(batch.last, DATA_FEED)
        == expected(batch)
    )


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_resting_orders_survive_a_restart_in_the_same_queue_order(
    engine: EngineProcess, end: str
) -> None:
    before = commit(engine, "B 5@10 ann", "B 5@10 cat", "B 5@11 dan", "S 2@10 bob")
    engine.publish(before)
    engine.events(before.last)
    book = engine.get("/v1/books/AAPL")
    state = engine.get("/v1/engine")
    (engine.kill if end == "kill" else engine.stop)()
    engine.start()
    assert engine.get("/v1/books/AAPL") == book
    assert engine.get("/v1/engine") == state
    after = commit(engine, "S 9@10 bob")
    engine.publish(after)
    (events,) = engine.events(after.last)
    assert events == expected(before, after)[-1]
    fills = [(shard_and_number(trade.buy_order_id)[1], trade.quantity) for trade in trades(events)]
    assert fills == [(3, 3), (1, 5), (2, 1)]


def test_stopped_engine_leaves_a_snapshot_and_may_lose_it(engine: EngineProcess) -> None:
    batch = commit(engine, "B 5@10 ann")
    engine.publish(batch)
    engine.events(batch.last)
    engine.stop()
    snapshots = list((engine.folder / f"engine.{engine.shard}").glob("*.snapshot"))
    assert len(snapshots) == 1
    snapshots[0].write_bytes(b"rubbish")
    engine.start()
    assert engine.get("/v1/engine")["open_orders"] == 1


def test_batch_that_the_broker_lost_is_healed_without_later_traffic(engine: EngineProcess) -> None:
    batch = commit(engine, "B 5@10 ann")
    assert engine.events(batch.last) == expected(batch)


def test_batch_that_the_broker_lost_is_healed_before_a_later_one(engine: EngineProcess) -> None:
    batches = [commit(engine, "B 5@10 ann"), commit(engine, "S 5@10 bob")]
    engine.publish(batches[1])
    assert engine.events(batches[1].last) == expected(*batches)


def test_repeated_batch_is_noticed_and_does_nothing(engine: EngineProcess) -> None:
    batch = commit(engine, "B 5@10 ann")
    engine.publish(batch, batch, batch)
    engine.wait_for(lambda: engine.metric("venue_messages_duplicate_total") >= 2)
    after = commit(engine, "S 5@10 bob")
    engine.publish(after)
    assert engine.events(after.last) == expected(batch, after)


def test_commands_committed_while_the_engine_was_dead_are_matched_at_its_start(
    engine: EngineProcess,
) -> None:
    engine.kill()
    batch = commit(engine, "B 5@10 ann", "S 5@10 bob")
    engine.start()
    assert engine.get("/v1/engine")["trades"] == 1
    assert engine.announced() == 3
    engine.ask(0, ORDER_EXECUTION)
    assert engine.events(batch.last) == expected(batch)


def test_reader_that_missed_events_gets_them_again_alone(engine: EngineProcess) -> None:
    batches = [commit(engine, f"B {size}@10 ann") for size in (1, 2, 3)]
    engine.publish(*batches)
    engine.events(batches[-1].last, ORDER_EXECUTION)
    engine.events(batches[-1].last, DATA_FEED)
    engine.ask(1, DATA_FEED)
    assert engine.events(batches[-1].last, DATA_FEED) == expected(*batches)[1:]
    after = commit(engine, "B 4@10 ann")
    engine.publish(after)
    assert engine.events(after.last, ORDER_EXECUTION) == expected(*batches, after)[-1:]


def test_poison_is_set_aside_and_the_engine_goes_on(engine: EngineProcess) -> None:
    batch = commit(engine, "B 5@10 ann")
    engine.publish(b"\xff not json", batch)
    assert engine.events(batch.last) == expected(batch)
    engine.wait_for(lambda: engine.metric("venue_dead_letters_total") == 1)


def test_batch_matched_before_a_kill_and_delivered_again_after_it_is_known(
    engine: EngineProcess,
) -> None:
    batch = commit(engine, "B 5@10 ann")
    engine.publish(batch)
    engine.events(batch.last)
    engine.kill()
    engine.publish(batch)
    engine.start()
    engine.wait_for(lambda: engine.metric("venue_messages_duplicate_total") >= 1)
    assert engine.get("/v1/engine")["open_orders"] == 1
