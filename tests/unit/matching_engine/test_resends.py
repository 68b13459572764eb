"""What is published again, and how what one command causes is cut into messages."""

from pathlib import Path

import pytest

from matching_engine.recent_events import RecentEvents
from tests.unit.matching_engine.live_engine import Venue
from venue_protocol.commands import CancelAllOrders
from venue_protocol.event_parts import EventPart
from venue_protocol.events import EventBatch
from venue_protocol.message_bounds import MessageBounds
from venue_protocol.stream_intake import StreamIntake
from venue_protocol.topology import (
    DATA_FEED,
    DEAD_LETTERS,
    RESEND_REQUESTS,
)


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return Venue(tmp_path)


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
