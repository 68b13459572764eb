"""When the phases of a day are due: time zones, weekends, holidays, and after an absence."""

from datetime import UTC, datetime, timedelta

import pytest

from order_entry_gateway.loops.phase_schedule import (
    AroundTheClock,
    Daily,
    Schedule,
    decode,
    done_before_now,
    due,
    refuse,
    upcoming,
)


def us(text: str) -> int:
    """Microseconds of a moment in UTC."""
    return (
        datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    ) // timedelta(microseconds=1)


DAY = Daily("Europe/Berlin", "08:00", "08:55", "09:00", "17:30", "17:35", holidays=("2026-12-25",))


def test_a_day_has_its_phases_in_order_at_local_times() -> None:
    found = due(DAY, us("2026-11-20T00:00"), us("2026-11-20T23:00"))
    assert found == [
        (us("2026-11-20T07:00"), "pre_open"),
        (us("2026-11-20T07:55"), "opening_auction"),
        (us("2026-11-20T08:00"), "continuous"),
        (us("2026-11-20T16:30"), "closing_auction"),
        (us("2026-11-20T16:35"), "closed"),
    ]


def test_summer_time_moves_the_day() -> None:
    assert due(DAY, us("2026-07-01T05:59"), us("2026-07-01T06:30")) == [
        (us("2026-07-01T06:00"), "pre_open")
    ]


def test_a_phase_is_due_once_from_its_moment_on() -> None:
    at = us("2026-11-20T08:00")
    assert due(DAY, at - 2, at - 1) == []
    assert due(DAY, at - 1, at) == [(at, "continuous")]
    assert due(DAY, at, at + 1) == []


def test_weekends_and_holidays_have_no_phases() -> None:
    assert due(DAY, us("2026-11-21T00:00"), us("2026-11-22T23:00")) == []
    assert due(DAY, us("2026-12-25T00:00"), us("2026-12-25T23:00")) == []
    assert upcoming(DAY, us("2026-11-20T17:00")) == (us("2026-11-23T07:00"), "pre_open")


def test_after_an_absence_all_phases_of_the_last_days_are_due_in_order() -> None:
    found = due(DAY, us("2026-01-01T00:00"), us("2026-11-20T12:00"))
    day = ["pre_open", "opening_auction", "continuous", "closing_auction", "closed"]
    assert [phase for _, phase in found] == [*day[3:], *day * 4, *day[:3]]
    assert found == sorted(found)
    assert found[-1] == (us("2026-11-20T08:00"), "continuous")
    assert found[0][0] > us("2026-11-13T11:59")


def test_back_to_around_the_clock_the_venue_is_opened_once() -> None:
    schedule, now_us = AroundTheClock(), us("2026-11-21 05:00")
    begin_us = done_before_now(schedule, now_us)
    assert due(schedule, begin_us, now_us) == [(now_us, "continuous")]
    assert due(schedule, now_us, now_us + 10**12) == []


def test_around_the_clock_nothing_is_ever_due() -> None:
    assert due(AroundTheClock(), 0, us("2026-11-20T12:00")) == []
    assert upcoming(AroundTheClock(), 0) is None
    assert decode('{"mode":"around_the_clock"}') == AroundTheClock()


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Daily(time_zone="Mars/Base"), "time_zone"),
        (Daily(time_zone="../../etc/passwd"), "time_zone"),
        (Daily(open="9 o'clock"), "open"),
        (Daily(open="09:28"), "open"),
        (Daily(weekdays=()), "weekdays"),
        (Daily(holidays=("christmas",)), "holidays"),
        (Daily(), None),
        (DAY, None),
        (AroundTheClock(), None),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_field(
    schedule: Schedule, field: str | None
) -> None:
    refusal = refuse(schedule)
    assert (refusal.field if refusal else None) == field
