"""The engine's loops on a bus and a log in memory: order, loss, repetition, poison, restart,
resend.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from matching_engine import handlers
from matching_engine.adapters.snapshots import SnapshotFolder
from matching_engine.domain.engine import MatchingEngine
from matching_engine.handlers import MatchingDesk
from matching_engine.loops.command_reader import CommandReader
from matching_engine.loops.resender import Resender
from matching_engine.recent_events import RecentEvents
from service_runtime.buses.memory import MemoryBus
from service_runtime.settings import load
from tests.unit.matching_engine.desk import order
from tests.unit.matching_engine.fake_log import FakeLog
from venue_protocol import codec, streams
from venue_protocol.commands import CancelAllOrders, CommandBatch
from venue_protocol.event_parts import EventPart
from venue_protocol.events import EventBatch
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.stream_intake import StreamIntake
from venue_protocol.streams import ResendRequest, StreamPosition
from venue_protocol.topology import (
    DATA_FEED,
    DEAD_LETTERS,
    DURABLE_QUEUES,
    ORDER_ENTRY,
    ORDER_EXECUTION,
    RESEND_REQUESTS,
)

SETTINGS = load({"VENUE_BROKER_URL": "unused", "VENUE_CLEARING_DATABASE_URL": "unused"})


class HeldConfirmation:
    """A confirmation that comes when the test says so."""

    def __init__(self) -> None:
        self.is_done = False

    def done(self) -> bool:
        """Whether the test said so."""
        return self.is_done

    def wait(self, timeout_s: float | None = None) -> bool:
        """The same; nothing waits here."""
        return self.is_done


class HoldingPublisher:
    """Publishes on the bus, and keeps the confirmations back while `holds`."""

    def __init__(self, bus: MemoryBus) -> None:
        self._publisher = bus.publisher()
        self.holds = False
        self.held: list[HeldConfirmation] = []

    def publish(
        self, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> HeldConfirmation:
        """Deliver now, confirm later."""
        self._publisher.publish(routing_key, body, headers)
        confirmation = HeldConfirmation()
        confirmation.is_done = not self.holds
        self.held.append(confirmation)
        return confirmation

    def publish_to_all(self, routing_keys: Sequence[str], body: bytes) -> list[HeldConfirmation]:
        """Deliver under each key, confirm later."""
        return [self.publish(routing_key, body) for routing_key in routing_keys]

    def confirm(self, count: int) -> None:
        """Confirm the oldest unconfirmed messages."""
        for confirmation in [held for held in self.held if not held.is_done][:count]:
            confirmation.is_done = True

    def is_ready(self) -> bool:
        """Always."""
        return True

    def flush(self, timeout_s: float) -> bool:
        """Whether all is confirmed."""
        return all(confirmation.is_done for confirmation in self.held)

    def close(self) -> None:
        """Nothing to close."""


class Venue:
    """One engine service between a log and a bus; `start` again is a restart after a kill."""

    def __init__(self, folder: Path) -> None:
        self.bus = MemoryBus()
        self.bus.declare(DURABLE_QUEUES)
        self.log = FakeLog()
        self.snapshots = SnapshotFolder(str(folder), 0)
        self.bounds = BOUNDS
        self.published: list[CommandBatch] = []
        self._readers = {
            queue: self.bus.consumer(queue, prefetch=10**6)
            for queue in (ORDER_EXECUTION, DATA_FEED)
        }
        self.start()

    def start(self) -> None:
        """A fresh process on the same log, snapshots and queues."""
        self.bus.lose_connections()
        self.now_s = 0.0
        self.publisher = HoldingPublisher(self.bus)
        self.recent = RecentEvents()
        self.desk = MatchingDesk(
            0, self.publisher, self.recent, self.snapshots, self.log, self.bounds
        )
        self.consumer = self.bus.consumer(ORDER_ENTRY)
        self.stopping = threading.Event()
        self.reader = CommandReader(
            self.desk, self.consumer, ORDER_ENTRY, self.stopping, lambda: self.now_s
        )
        self.resender = self._new_resender(self.recent)
        self.reader.recover()

    def forget_recent_events(self) -> None:
        """The resender has nothing in memory."""
        self.resender = self._new_resender(RecentEvents())

    def _new_resender(self, recent: RecentEvents) -> Resender:
        requests = self.bus.consumer(RESEND_REQUESTS)
        return Resender(
            0,
            requests,
            self.publisher,
            recent,
            self.snapshots,
            self.log,
            self.stopping,
            self.bounds,
        )

    def commit(self, *orders: str) -> CommandBatch:
        """A commit of these orders that is not published."""
        return self.log.commit([order(text) for text in orders])

    def send(self, *messages: object) -> None:
        """Put messages (or raw bytes) on `order_entry`."""
        publisher = self.bus.publisher()
        for message in messages:
            publisher.publish(
                ORDER_ENTRY, message if isinstance(message, bytes) else codec.encode(message)
            )

    def step(self) -> None:
        """One turn of the consuming loop, a second later: what waits, or a look at the log."""
        self.now_s += 1
        self.reader.step()

    def events(self, queue: str = ORDER_EXECUTION) -> list[EventBatch]:
        """Event batches that arrived since the last call."""
        return [message for message in self.messages(queue) if isinstance(message, EventBatch)]

    def messages(self, queue: str = ORDER_EXECUTION) -> list[object]:
        """All messages that arrived since the last call."""
        deliveries = self._readers[queue].receive(0, 10**6)
        if deliveries:
            self._readers[queue].ack(deliveries[-1])
        return [codec.decode(delivery.body) for delivery in deliveries]

    def ask(
        self, after: int, reply_to: str = ORDER_EXECUTION, stream: str = streams.events(0)
    ) -> None:
        """A reader asks for a resend."""
        request = ResendRequest(codec.SCHEMA, stream, after, reply_to)
        self.bus.publisher().publish(RESEND_REQUESTS, codec.encode(request))

    def unacknowledged(self) -> int:
        """Deliveries that would come again if the process died now.

        Ends the process's connection.
        """
        self.bus.lose_connections()
        return self.bus.depth(ORDER_ENTRY)


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


def run_some(venue: Venue, count: int) -> list[EventBatch]:
    """Match so many batches; their events, which nobody has read."""
    batches = [venue.commit("B 2@10 ann", "S 1@10 bob") for _ in range(count)]
    venue.send(*batches)
    venue.step()
    events = venue.events()
    venue.events(DATA_FEED)
    return events


def test_recent_events_are_resent_as_they_were_to_the_asker_alone(venue: Venue) -> None:
    events = run_some(venue, 5)
    venue.ask(events[1].last)
    assert venue.resender.step(0) == 1
    assert venue.events() == events[2:]
    assert venue.events(DATA_FEED) == []


def test_resend_begins_with_the_batch_that_holds_the_next_event(venue: Venue) -> None:
    events = run_some(venue, 3)
    venue.ask(events[1].first)
    venue.resender.step(0)
    assert venue.events() == events[1:]


@pytest.mark.parametrize("with_snapshot", [True, False])
def test_events_older_than_memory_are_derived_again(venue: Venue, with_snapshot: bool) -> None:
    first = run_some(venue, 3)
    if with_snapshot:
        venue.desk.save_snapshot()
    second = run_some(venue, 3)
    venue.start()
    venue.forget_recent_events()
    venue.ask(second[0].last)
    venue.ask(first[0].last, DATA_FEED)
    venue.resender.step(0)
    assert venue.events() == second[1:]
    assert venue.events(DATA_FEED) == [*first[1:], *second]


def test_only_the_last_request_of_an_asker_is_answered(venue: Venue) -> None:
    events = run_some(venue, 5)
    for batch in events[:4]:
        venue.ask(batch.last)
    assert venue.resender.step(0) == 4
    assert venue.events() == events[4:]
    assert venue.resender.step(0) == 0


def test_request_that_makes_no_sense_is_dead_lettered(venue: Venue) -> None:
    venue.ask(0, stream="settlements")
    venue.bus.publisher().publish(RESEND_REQUESTS, b"nonsense")
    venue.resender.step(0)
    assert venue.bus.depth(DEAD_LETTERS) == 2


def test_resend_is_broken_off_while_the_database_is_away(venue: Venue) -> None:
    run_some(venue, 3)
    venue.forget_recent_events()
    venue.log.away = 1
    venue.ask(0)
    venue.resender.step(0)
    assert venue.events() == []
    venue.ask(0)
    venue.resender.step(0)
    assert len(venue.events()) == 3


def test_memory_of_recent_events_is_bounded() -> None:
    recent = RecentEvents()
    for number in range(1, 10_001):
        recent.add(EventPart(number, number, b"x"))
    assert recent.after(0) is None
    kept = recent.after(9_000)
    assert kept is not None
    assert len(kept) == 1_000
    recent.add(EventPart(10_001, 10_001, b"x" * 64_000_000))
    assert recent.after(10_000) == [b"x" * 64_000_000]
    assert recent.after(9_999) is None


def venue_of_small_messages(venue: Venue) -> list[EventBatch]:
    """Nine orders and their end by one command, in messages of four events; what was published."""
    venue.bounds = MessageBounds(most_items=4)
    venue.start()
    venue.send(venue.commit(*(f"B 5@{price} ann" for price in range(1, 10))))
    venue.send(venue.log.commit([CancelAllOrders("ann")]))
    venue.step()
    venue.events(DATA_FEED)
    return venue.events()


def test_what_one_command_causes_is_published_in_messages_of_bounded_size(venue: Venue) -> None:
    parts = venue_of_small_messages(venue)
    assert [(part.first, part.last) for part in parts] == [
        (1, 4),
        (5, 8),
        (9, 9),
        (10, 13),
        (14, 17),
        (18, 19),
    ]
    assert [part.log_last for part in parts] == [0, 0, 9, 9, 9, 10]


@pytest.mark.parametrize("from_memory", [True, False])
def test_a_resend_is_cut_and_begins_in_the_midst_of_a_command(
    venue: Venue, from_memory: bool
) -> None:
    parts = venue_of_small_messages(venue)
    if not from_memory:
        venue.forget_recent_events()
    venue.ask(13)
    venue.resender.step(0)
    assert venue.events() == parts[4:]


@pytest.mark.parametrize(("confirmed", "left"), [(3, 1), (4, 0)])
def test_a_command_is_acknowledged_when_all_of_its_messages_are_confirmed(
    venue: Venue, confirmed: int, left: int
) -> None:
    """Two messages to two readers."""
    venue.bounds = MessageBounds(most_items=1)
    venue.start()
    venue.publisher.holds = True
    venue.send(venue.commit("B 5@10 ann", "B 5@10 ann"))
    venue.reader.step()
    venue.publisher.confirm(confirmed)
    venue.reader.step()
    assert venue.unacknowledged() == left


def test_an_engine_killed_between_two_parts_is_asked_for_the_rest(venue: Venue) -> None:
    parts = venue_of_small_messages(venue)
    venue.start()
    venue.step()
    reader: StreamIntake[EventBatch] = StreamIntake(0)
    for part in parts[:4]:
        reader.take(part)
    reader.announce(venue.desk.engine.event_position)
    after = reader.ask_after(0.0)
    assert after == 13
    venue.events()
    venue.forget_recent_events()
    venue.ask(after)
    venue.resender.step(0)
    assert venue.events() == parts[4:]
