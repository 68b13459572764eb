"""The engine's loops: order, loss, repetition, poison, restart."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from matching_engine import handlers
from matching_engine.adapters.snapshots import SnapshotFolder
from matching_engine.domain.engine import MatchingEngine
from tests.unit.matching_engine.desk import order
from tests.unit.matching_engine.live_engine import Venue
from venue_protocol import codec
from venue_protocol.commands import CancelAllOrders, CommandBatch, SetPhase, SetVolatilityBands
from venue_protocol.events import EventBatch
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.streams import StreamPosition
from venue_protocol.topology import (
    DATA_FEED,
    DEAD_LETTERS,
    ORDER_EXECUTION,
)


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return Venue(tmp_path)


def expected(batches: Iterable[CommandBatch]) -> list[EventBatch]:
    """What an engine makes of these batches."""
    engine = MatchingEngine()
    return [engine.apply(batch) for batch in batches]


def test_each_batch_gives_its_events_to_both_readers(venue: Venue) -> None:
    batches = [venue.commit("B 5@10 ann"), venue.commit("S 5@10 bob", "S 1@11 bob")]
    venue.send(*batches)
    venue.step()
    assert venue.events(ORDER_EXECUTION) == venue.events(DATA_FEED) == expected(batches)


def test_repeated_batch_does_nothing_and_is_acknowledged(venue: Venue) -> None:
    batch = venue.commit("B 5@10 ann")
    venue.send(batch, batch)
    venue.step()
    venue.send(batch)
    venue.step()
    assert venue.events() == expected([batch])
    assert venue.unacknowledged() == 0


def test_batch_that_the_broker_lost_is_read_from_the_log_before_the_next(venue: Venue) -> None:
    batches = [venue.commit(f"B {size}@10 ann") for size in (1, 2, 3)]
    venue.send(batches[0], batches[2])
    venue.step()
    assert venue.events() == expected(batches)


def test_batches_in_the_wrong_order_are_matched_in_the_order_of_the_log(venue: Venue) -> None:
    batches = [venue.commit("B 1@10 ann"), venue.commit("S 1@10 bob")]
    venue.send(*reversed(batches))
    venue.step()
    assert venue.events() == expected(batches)


def test_lost_last_batch_is_found_in_the_log_without_later_traffic(venue: Venue) -> None:
    batch = venue.commit("B 1@10 ann")
    venue.step()
    assert venue.events() == expected([batch])


def test_poison_is_dead_lettered_with_its_reason_and_healed_from_the_log(venue: Venue) -> None:
    batches = [venue.commit("B 1@10 ann"), venue.commit("S 1@10 bob")]
    venue.send(b'{"kind":"command_batch"', batches[1])
    venue.step()
    assert venue.events() == expected(batches)
    dead = venue.bus.consumer(DEAD_LETTERS).receive(0, 10)
    assert [letter.body for letter in dead] == [b'{"kind":"command_batch"']
    assert "truncated" in dead[0].headers["reason"]
    assert venue.unacknowledged() == 0


def test_message_that_is_no_command_batch_of_the_shard_is_dead_lettered(venue: Venue) -> None:
    foreign = CommandBatch(codec.SCHEMA, 7, 1, 1, [order("B 1@10 ann")])
    venue.send(foreign, StreamPosition(codec.SCHEMA, "events.0", 4))
    venue.step()
    assert venue.events() == []
    assert venue.bus.depth(DEAD_LETTERS) == 2


def test_input_is_acknowledged_only_once_its_events_are_confirmed(venue: Venue) -> None:
    venue.publisher.holds = True
    venue.send(venue.commit("B 1@10 ann"), venue.commit("B 2@10 ann"))
    venue.step()
    venue.publisher.confirm(3)
    venue.reader.step()
    assert venue.unacknowledged() == 1


def test_nothing_is_acknowledged_before_any_confirmation(venue: Venue) -> None:
    venue.publisher.holds = True
    venue.send(venue.commit("B 1@10 ann"), venue.commit("B 2@10 ann"))
    venue.step()
    assert venue.unacknowledged() == 2


def test_batch_that_overlaps_what_is_known_breaks_an_invariant(venue: Venue) -> None:
    venue.send(venue.commit("B 1@10 ann", "B 2@10 ann"))
    venue.step()
    venue.send(CommandBatch(codec.SCHEMA, 0, 2, 10**9, [order("B 1@10 ann")] * 2))
    with pytest.raises(BrokenInvariant):
        venue.step()
    assert venue.unacknowledged() == 1


def test_an_engine_that_broke_in_a_batch_is_not_kept_as_a_snapshot(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_midway(engine: MatchingEngine, batch: CommandBatch) -> EventBatch:
        engine.orders.clear()
        raise BrokenInvariant("planted")

    venue.send(venue.commit("B 1@10 ann"))
    venue.step()
    monkeypatch.setattr(MatchingEngine, "apply", break_midway)
    venue.send(venue.commit("B 2@10 ann"))
    with pytest.raises(BrokenInvariant):
        venue.step()
    venue.desk.save_snapshot()
    assert venue.snapshots.load() is None


def test_position_is_announced_to_both_readers_about_every_second(venue: Venue) -> None:
    venue.send(venue.commit("B 1@10 ann"))
    venue.step()
    venue.events(ORDER_EXECUTION), venue.events(DATA_FEED)
    venue.now_s += 0.5
    venue.reader.step()
    assert venue.messages() == []
    venue.step()
    position = StreamPosition(codec.SCHEMA, "events.0", 1)
    assert venue.messages(ORDER_EXECUTION) == venue.messages(DATA_FEED) == [position]


def test_database_away_during_a_gap_is_waited_for(venue: Venue) -> None:
    batches = [venue.commit("B 1@10 ann"), venue.commit("B 2@10 ann")]
    venue.log.away = 1
    venue.send(batches[1])
    venue.step()
    assert venue.events() == expected(batches)


def test_service_told_to_stop_during_an_outage_acknowledges_nothing(venue: Venue) -> None:
    batches = [venue.commit("B 1@10 ann"), venue.commit("B 2@10 ann")]
    venue.log.away = 10**6
    venue.send(batches[1])
    threading.Timer(0.05, venue.stopping.set).start()
    venue.reader.step()
    assert venue.stopping.is_set()
    assert venue.unacknowledged() == 1


def test_restart_recovers_the_books_in_the_same_queue_order(venue: Venue) -> None:
    before = [venue.commit("B 5@10 ann", "B 5@10 cat", "B 5@11 dan"), venue.commit("S 6@10 bob")]
    venue.send(*before)
    venue.step()
    venue.events()
    venue.start()
    assert venue.events() == []
    after = venue.commit("S 9@10 bob")
    venue.send(after)
    venue.step()
    assert venue.events() == expected([*before, after])[-1:]


def test_restart_goes_on_from_a_snapshot(venue: Venue) -> None:
    before = [venue.commit("B 5@10 ann"), venue.commit("B 5@10 cat")]
    venue.send(*before)
    venue.step()
    venue.desk.save_snapshot()
    loaded = venue.snapshots.load()
    assert loaded is not None
    assert loaded.state_hash() == venue.desk.engine.state_hash()
    venue.start()
    venue.events()
    after = venue.commit("S 9@10 bob")
    venue.send(after)
    venue.step()
    assert venue.events() == expected([*before, after])[-1:]


@pytest.mark.parametrize("damage", [b"", b"short", None], ids=["empty", "short", "one bit"])
def test_damaged_or_half_written_snapshot_only_makes_the_start_slower(
    venue: Venue, tmp_path: Path, damage: bytes | None
) -> None:
    venue.send(venue.commit("B 5@10 ann"))
    venue.step()
    venue.desk.save_snapshot()
    (path,) = (tmp_path / "engine.0").glob("*.snapshot")
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content) if damage is None else damage)
    path.with_name("99.partial").write_bytes(b"half")
    before = venue.desk.engine.state_hash()
    venue.start()
    assert venue.desk.engine.state_hash() == before


def test_snapshot_of_another_log_is_discarded(venue: Venue, tmp_path: Path) -> None:
    stranger = MatchingEngine()
    stranger.apply(CommandBatch(codec.SCHEMA, 0, 1, 42, [order("B 1@1 eve")]))
    venue.snapshots.save(stranger)
    venue.commit("B 5@10 ann")
    venue.start()
    assert [o.owner.client_id for o in venue.desk.engine.orders.values()] == ["ann"]
    assert list((tmp_path / "engine.0").glob("*.snapshot")) == []


def test_snapshots_are_written_on_the_way_and_the_newest_few_are_kept(
    venue: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "_SNAPSHOT_EVERY", 3)
    monkeypatch.setattr(handlers, "_SNAPSHOT_COST", 0)
    venue.start()
    for _ in range(30):
        venue.send(venue.commit("B 5@10 IOC ann"))
        venue.step()
    names = sorted(path.name for path in (tmp_path / "engine.0").iterdir())
    assert names == [f"{position:020d}.snapshot" for position in (21, 24, 27, 30)]


def test_engine_without_a_state_folder_recovers_from_the_log(tmp_path: Path) -> None:
    venue = Venue(tmp_path)
    venue.snapshots = SnapshotFolder("", 0)
    venue.commit("B 5@10 ann")
    venue.start()
    venue.desk.save_snapshot()
    assert len(venue.desk.engine.orders) == 1


def test_phases_and_limit_states_are_told_in_the_log_once_with_who_commanded_them(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "matching_engine.handlers")
    halt = SetPhase("admin", "halted", "AAPL", "news")
    bands = SetVolatilityBands("admin", "MSFT", 500, 1_000_000)
    venue.send(venue.log.commit([halt]), venue.log.commit([SetPhase("", "closed"), bands]))
    venue.step()
    told = [
        (record.message, record.security, record.by, getattr(record, "phase", None))
        for record in caplog.records
        if "changed" in record.message
    ]
    assert told == [
        ("phase changed", "AAPL", "admin", "halted"),
        ("phase changed", None, "schedule", "closed"),
        ("limit state changed", "MSFT", "admin", None),
    ]
    venue.start()
    venue.step()
    assert sum("changed" in record.message for record in caplog.records) == len(told)


def test_a_cancel_of_thirty_thousand_orders_passes_a_broker_with_small_messages(
    venue: Venue,
) -> None:
    """Case A1: nothing that is published is larger than the bound."""
    venue.send(*(venue.commit(*(f"B 5@{n % 90 + 1} ann",) * 1000) for n in range(30)))
    venue.step()
    venue.send(venue.log.commit([CancelAllOrders("ann")]))
    sizes: list[int] = []
    publish = venue.publisher.publish_to_all
    venue.publisher.publish_to_all = lambda keys, body: (  # type: ignore[method-assign]
        sizes.append(len(body)) or publish(keys, body)  # type: ignore[func-returns-value]
    )
    venue.step()
    assert venue.desk.engine.orders == {}
    assert len(sizes) > 4
    assert max(sizes) <= venue.bounds.most_bytes + 200
    assert venue.events()[-1].last == venue.desk.engine.event_position
