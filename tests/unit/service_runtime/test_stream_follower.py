"""Following a numbered stream: nothing skipped, nothing twice, gaps asked for without a storm."""

import random

import pytest

from service_runtime.stream_follower import StreamFollower


class Stream:
    """A follower, its clock and what it asked for."""

    def __init__(self, position: int = 0) -> None:
        self.now_s = 100.0
        self.asked: list[int] = []
        self.follower = StreamFollower("events.0", position, self.asked.append, lambda: self.now_s)


def test_what_continues_the_stream_is_taken() -> None:
    stream = Stream()
    assert stream.follower.takes(1, 3) and stream.follower.takes(4, 4)
    assert (stream.follower.position, stream.asked) == (4, [])


def test_what_is_known_is_not_taken_again() -> None:
    stream = Stream(10)
    assert not stream.follower.takes(1, 10)
    assert (stream.follower.position, stream.asked) == (10, [])


def test_a_batch_that_overlaps_is_taken_for_its_new_part() -> None:
    stream = Stream(10)
    assert stream.follower.takes(5, 12)
    assert stream.follower.position == 12


def test_a_gap_is_asked_for_at_once_and_what_follows_it_is_not_taken() -> None:
    stream = Stream(10)
    assert not stream.follower.takes(12, 15)
    assert (stream.follower.position, stream.asked) == (10, [10])
    assert not stream.follower.is_caught_up()


def test_a_gap_is_asked_for_once_a_second_at_most() -> None:
    stream = Stream()
    for first in range(2, 50):
        stream.follower.takes(first, first)
    assert stream.asked == [0]
    stream.now_s += 1.1
    stream.follower.remind()
    assert stream.asked == [0, 0]


def test_while_a_resend_arrives_nothing_is_asked_again() -> None:
    """A long resend takes more than a second: asking again for its rest would multiply it."""
    stream = Stream()
    assert not stream.follower.takes(1_000, 1_000)
    for number in range(1, 1_000):
        stream.now_s += 0.5
        assert stream.follower.takes(number, number)
        stream.follower.takes(1_000 + number, 1_000 + number)
    assert stream.asked == [0]


def test_a_resend_that_stops_halfway_is_asked_for_again_from_there() -> None:
    stream = Stream()
    stream.follower.takes(10, 10)
    stream.follower.takes(1, 5)
    stream.now_s += 1.1
    stream.follower.remind()
    assert stream.asked == [0, 5]


def test_a_lost_last_message_is_noticed_by_its_announcement() -> None:
    stream = Stream(5)
    stream.follower.announced(5)
    assert stream.asked == [] and stream.follower.is_caught_up()
    stream.follower.announced(7)
    assert stream.asked == [5] and not stream.follower.is_caught_up()
    assert stream.follower.takes(6, 7) and stream.follower.is_caught_up()


def test_an_old_announcement_is_ignored() -> None:
    stream = Stream(5)
    stream.follower.announced(3)
    stream.follower.remind()
    assert stream.asked == [] and stream.follower.is_caught_up()


def test_a_second_gap_right_after_the_first_was_healed_is_asked_for() -> None:
    stream = Stream()
    stream.follower.takes(2, 2)
    stream.follower.takes(1, 2)
    stream.follower.takes(4, 4)
    stream.now_s += 1.1
    stream.follower.remind()
    assert stream.asked == [0, 2]


def test_what_was_not_applied_after_all_is_asked_for_again() -> None:
    stream = Stream()
    stream.follower.takes(1, 9)
    stream.follower.reset(4)
    stream.follower.remind()
    assert stream.asked == [4]
    assert stream.follower.takes(5, 9)


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_with_losses_repeats_and_resends_is_followed_without_hole_or_repeat(seed: int) -> None:
    dice = random.Random(seed)
    stream = Stream()
    applied: list[int] = []
    published = list(range(1, 300))
    waiting: list[tuple[int, int]] = []

    def deliver(first: int, last: int) -> None:
        before = stream.follower.position
        if stream.follower.takes(first, last):
            assert first <= before + 1
            applied.extend(range(before + 1, last + 1))

    while applied[-1:] != published[-1:]:
        stream.now_s += dice.random()
        if stream.asked:
            after = stream.asked.pop()
            stream.asked.clear()
            waiting += [(number, number) for number in published if number > after][: dice.randint(1, 200)]
        first = (applied[-1] if applied else 0) + dice.randint(-3, 6)
        batch = waiting.pop(0) if waiting and dice.random() < 0.9 else (max(1, first), min(299, max(1, first) + 2))
        if dice.random() < 0.9:
            deliver(*batch)
        else:
            stream.follower.remind()
    assert applied == published
