"""What may be recorded when: order, duplicates, gaps."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.stream_intake import (
    ASK_AGAIN_S,
    MOST_HELD,
    MOST_NUMBERS_HELD,
    StreamIntake,
)
from venue_protocol.streams import event_shard


@dataclass(frozen=True)
class Numbers:
    """A batch that is nothing but its numbers."""

    first: int
    last: int


def taken(intake: StreamIntake[Numbers], *batches: tuple[int, int]) -> list[int]:
    """The numbers passed on when these batches come."""
    passed = []
    for first, last in batches:
        for batch, first_new in intake.take(Numbers(first, last)):
            passed += range(first_new, batch.last + 1)
    return passed


def test_batches_in_order_pass_at_once() -> None:
    assert taken(StreamIntake(0), (1, 2), (3, 3), (4, 6)) == [1, 2, 3, 4, 5, 6]


def test_a_duplicate_passes_nothing() -> None:
    assert taken(StreamIntake(4), (1, 2), (3, 4), (4, 4)) == []


def test_an_overlapping_batch_passes_from_the_position_on() -> None:
    assert taken(StreamIntake(4), (3, 6)) == [5, 6]


def test_nothing_passes_behind_a_gap_until_it_closes() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    assert taken(intake, (3, 4), (5, 5)) == []
    assert intake.is_behind()
    assert taken(intake, (1, 2)) == [1, 2, 3, 4, 5]
    assert not intake.is_behind()


def test_an_announced_number_that_never_came_is_a_gap() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(4)
    intake.announce(4)
    assert intake.ask_after(0.0) is None
    intake.announce(5)
    assert intake.ask_after(0.0) == 4


def test_it_asks_once_and_again_only_after_a_pause() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    intake.announce(9)
    assert intake.ask_after(100.0) == 0
    assert intake.ask_after(100.0 + ASK_AGAIN_S / 2) is None
    assert intake.ask_after(100.0 + ASK_AGAIN_S) == 0
    assert intake.ask_after(100.0 + 2 * ASK_AGAIN_S) is None
    assert intake.ask_after(100.0 + 3 * ASK_AGAIN_S) == 0


def test_while_the_resend_arrives_it_does_not_ask_again() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    intake.announce(9)
    now_s = 0.0
    assert intake.ask_after(now_s) == 0
    for number in range(1, 9):
        taken(intake, (number, number))
        now_s += ASK_AGAIN_S
        assert intake.ask_after(now_s) is None
    assert intake.ask_after(now_s + ASK_AGAIN_S) == 8


def test_what_is_held_back_is_bounded_and_the_resend_still_closes_the_gap() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    end = MOST_HELD + 500
    taken(intake, *((number, number) for number in range(2, end + 1)))
    passed = taken(intake, (1, 1))
    assert passed == list(range(1, MOST_HELD + 2))
    assert intake.is_behind()
    assert taken(intake, *((number, number) for number in range(1, end + 1)))[-1] == end


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_any_disorder_with_repeats_passes_each_number_once_in_order(seed: int, count: int) -> None:
    dice = random.Random(seed)
    edges = sorted(dice.sample(range(1, 2 * count + 1), count))
    batches = list(zip([1] + [edge + 1 for edge in edges[:-1]], edges, strict=True))
    arriving = batches * 2
    dice.shuffle(arriving)
    assert taken(StreamIntake(0), *arriving) == list(range(1, edges[-1] + 1))


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_with_losses_repeats_and_resends_is_followed_without_hole_or_repeat(
    seed: int,
) -> None:
    dice = random.Random(seed)
    intake: StreamIntake[Numbers] = StreamIntake(0)
    applied: list[int] = []
    end, now_s = 299, 100.0
    resent: list[tuple[int, int]] = []
    while intake.position < end:
        now_s += dice.random()
        after = intake.ask_after(now_s)
        if after is not None:
            resent += [(number, number) for number in range(after + 1, end + 1)][
                : dice.randint(1, 200)
            ]
        first = max(1, intake.position + dice.randint(-3, 6))
        batch = (
            resent.pop(0)
            if resent and dice.random() < 0.9
            else (min(first, end), min(first + 2, end))
        )
        if dice.random() < 0.9:
            applied += taken(intake, batch)
    assert applied == list(range(1, end + 1))


def test_a_second_gap_right_after_the_first_was_healed_is_asked_for() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    taken(intake, (2, 2))
    assert intake.ask_after(0.0) == 0
    taken(intake, (1, 1))
    assert intake.ask_after(0.1) is None and not intake.is_behind()
    taken(intake, (4, 4))
    assert intake.ask_after(0.2) == 2


@pytest.mark.parametrize(
    ("stream", "shard"),
    [
        ("events.0", 0),
        ("events.12", 12),
        ("events.", None),
        ("events.x", None),
        ("events.-1", None),
        ("events.\u0661", None),
        ("events.123456", None),
        ("settlements", None),
        ("order_log.0", None),
    ],
)
def test_the_shard_of_a_stream_of_events(stream: str, shard: int | None) -> None:
    assert event_shard(stream) == shard


def test_what_is_held_behind_a_gap_is_bounded_in_numbers_too() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    size = MOST_NUMBERS_HELD // 4
    for start in range(2, 2 + 10 * size, size):
        intake.take(Numbers(start, start + size - 1))
    passed = taken(intake, (1, 1))
    assert passed == list(range(1, 2 + MOST_NUMBERS_HELD))
    assert intake.is_behind()


def test_of_two_held_batches_that_begin_alike_the_longer_one_passes() -> None:
    intake: StreamIntake[Numbers] = StreamIntake(0)
    assert taken(intake, (2, 9), (2, 4), (1, 1)) == list(range(1, 10))
