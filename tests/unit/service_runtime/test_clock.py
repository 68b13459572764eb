"""The confirmed clock: a step of the machine's clock is never seen before two others agree."""

from dataclasses import dataclass

import pytest

from service_runtime.clock import ConfirmedClock, ManualClock, SystemClock, steady_us

SECOND = 1_000_000
DAY = 86_400 * SECOND


@dataclass
class Clocks:
    """Three clocks that go on together, and can be set apart."""

    wall: ManualClock
    database: ManualClock
    steady: ManualClock

    @classmethod
    def together(cls) -> "Clocks":
        return cls(ManualClock(), ManualClock(), ManualClock(5 * SECOND))

    def confirmed(self) -> ConfirmedClock:
        clock = ConfirmedClock(self.wall, self.steady.now_us)
        self.compare(clock)
        return clock

    def compare(self, clock: ConfirmedClock) -> None:
        clock.compare(self.database.now_us)

    def pass_time(self, by_us: int) -> None:
        for clock in (self.wall, self.database, self.steady):
            clock.advance(by_us)


def test_clocks_that_agree_are_confirmed_and_time_goes_on() -> None:
    clocks = Clocks.together()
    clock = clocks.confirmed()
    clocks.pass_time(7 * SECOND)
    assert clock.is_confirmed() and clock.now_us() == clocks.wall.now_us()


def test_before_the_first_comparison_the_clock_is_not_confirmed() -> None:
    clock = ConfirmedClock(ManualClock(), steady_us)
    assert clock.trouble == "not compared with the database's clock yet"


@pytest.mark.parametrize("jump_us", [DAY, -DAY, 3 * SECOND, -3 * SECOND])
def test_a_jump_of_this_machine_alone_is_not_seen_and_is_told(jump_us: int) -> None:
    clocks = Clocks.together()
    clock = clocks.confirmed()
    expected_us = clock.now_us() + 5 * SECOND
    clocks.wall.advance(jump_us)
    clocks.pass_time(5 * SECOND)
    assert clock.now_us() == expected_us
    clocks.compare(clock)
    assert clock.now_us() == expected_us
    assert clock.trouble == (
        f"the clocks of this machine and of the database differ by {jump_us / SECOND:+.0f} s"
    )


def test_a_clock_that_comes_back_is_confirmed_again() -> None:
    clocks = Clocks.together()
    clock = clocks.confirmed()
    clocks.wall.advance(DAY)
    clocks.compare(clock)
    clocks.wall.advance(-DAY)
    clocks.compare(clock)
    assert clock.is_confirmed() and clock.now_us() == clocks.wall.now_us()


@pytest.mark.parametrize("jump_us", [DAY, -DAY])
def test_a_jump_of_all_machines_is_not_confirmed_by_the_time_that_passed(jump_us: int) -> None:
    clocks = Clocks.together()
    clock = clocks.confirmed()
    before_us = clock.now_us()
    clocks.wall.advance(jump_us)
    clocks.database.advance(jump_us)
    clocks.compare(clock)
    assert clock.now_us() == before_us
    assert clock.trouble is not None and "restart this service" in clock.trouble


def test_a_restarted_gateway_takes_the_time_on_which_its_machine_and_the_database_agree() -> None:
    clocks = Clocks.together()
    clocks.wall.advance(DAY)
    clocks.database.advance(DAY)
    clock = clocks.confirmed()
    assert clock.is_confirmed() and clock.now_us() == clocks.wall.now_us()


def test_a_gateway_that_starts_with_a_wrong_clock_is_never_confirmed() -> None:
    clocks = Clocks.together()
    clocks.wall.advance(DAY)
    clock = clocks.confirmed()
    for _ in range(3):
        clocks.pass_time(SECOND)
        clocks.compare(clock)
    assert not clock.is_confirmed()


def test_small_corrections_are_followed() -> None:
    """A clock service slews: a second in all, in steps that a comparison sees."""
    clocks = Clocks.together()
    clock = clocks.confirmed()
    for _ in range(100):
        clocks.wall.advance(10_000)
        clocks.pass_time(SECOND)
        clocks.database.advance(10_000)
        clocks.compare(clock)
        assert clock.is_confirmed() and clock.now_us() == clocks.wall.now_us()


def test_a_slow_answer_of_the_database_makes_no_clock_wrong() -> None:
    clocks = Clocks.together()
    clock = clocks.confirmed()

    def slow() -> int:
        read_us = clocks.database.now_us()
        clocks.pass_time(10 * SECOND)
        return read_us

    clock.compare(slow)
    assert clock.is_confirmed()


def test_the_steady_clock_passes_like_the_machines() -> None:
    wall = SystemClock()
    clock = ConfirmedClock(wall)
    clock.compare(wall.now_us)
    assert abs(clock.now_us() - wall.now_us()) < SECOND
