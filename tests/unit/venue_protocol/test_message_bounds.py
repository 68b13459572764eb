"""No message is larger than its bounds, and cutting loses and doubles nothing."""

from hypothesis import given
from hypothesis import strategies as st

from venue_protocol import codec
from venue_protocol.event_parts import event_parts
from venue_protocol.events import EventBatch, OrderCanceled
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.stream_intake import StreamIntake

HEAD_BYTES = 200
"""What a message has beside its items, at most."""


def canceled(count: int, first: int = 1) -> EventBatch:
    """One command that canceled so many orders."""
    events = [
        OrderCanceled(number, "c" * 64, "AAPL", "SELL", 1_000_000, 10, "requested")
        for number in range(count)
    ]
    return EventBatch(codec.SCHEMA, 0, first, 7, 9, 1_000, list(events))


def parts_of(batch: EventBatch, bounds: MessageBounds) -> list[EventBatch]:
    """The parts, read as their readers do."""
    read = [codec.decode(part.body) for part in event_parts(batch, bounds)]
    return [part for part in read if isinstance(part, EventBatch)]


def test_runs_are_as_long_as_the_bounds_allow() -> None:
    three = MessageBounds(most_items=3)
    assert list(three.cut([b"x"] * 7)) == [(0, 3), (3, 6), (6, 7)]
    assert list(MessageBounds(most_bytes=8).cut([b"xx", b"xx", b"xx"])) == [(0, 2), (2, 3)]
    assert list(three.cut([])) == []


def test_an_item_larger_than_a_message_travels_alone() -> None:
    bounds = MessageBounds(most_bytes=8)
    assert list(bounds.cut([b"x", b"x" * 100, b"x"])) == [(0, 1), (1, 2), (2, 3)]


def test_a_batch_within_the_bounds_is_one_message_as_it_was() -> None:
    batch = canceled(5)
    (part,) = event_parts(batch)
    assert part.body == codec.encode(batch)
    assert (part.first, part.last) == (1, 5)


def test_the_events_of_a_cancel_of_110000_orders_travel_in_messages_of_a_megabyte() -> None:
    batch = canceled(110_000)
    parts = list(event_parts(batch))
    assert max(len(part.body) for part in parts) <= BOUNDS.most_bytes + HEAD_BYTES
    assert max(part.last - part.first + 1 for part in parts) <= BOUNDS.most_items
    assert [event for part in parts_of(batch, BOUNDS) for event in part.events] == batch.events


def test_only_the_last_part_says_that_the_commands_are_answered() -> None:
    parts = parts_of(canceled(8, first=20), MessageBounds(most_items=3))
    assert [(part.first, part.last) for part in parts] == [(20, 22), (23, 25), (26, 27)]
    assert [(part.log_first, part.log_last) for part in parts] == [(7, 6), (7, 6), (7, 9)]


@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(100, 4_000),
    st.integers(1, 20),
    st.integers(100, 4_000),
    st.randoms(use_true_random=False),
)
def test_readers_take_each_event_once_and_in_order_however_parts_are_cut_lost_and_repeated(
    count: int, most: int, most_bytes: int, other: int, other_bytes: int, dice: object
) -> None:
    """A resend may be cut otherwise than what it repeats, as after an upgrade."""
    batch = canceled(count)
    first = parts_of(batch, MessageBounds(most_items=most, most_bytes=most_bytes))
    again = parts_of(batch, MessageBounds(most_items=other, most_bytes=other_bytes))
    came = [part for part in first if dice.random() < 0.7]  # type: ignore[attr-defined]
    dice.shuffle(came)  # type: ignore[attr-defined]
    intake: StreamIntake[EventBatch] = StreamIntake(0)
    passed = [
        event
        for part in [*came, *again, *came]
        for released, first_new in intake.take(part)
        for event in released.events[first_new - released.first :]
    ]
    assert passed == batch.events
    assert intake.position == count
