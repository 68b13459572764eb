"""When the phases of a day are due: time zones, weekends, holidays, and after an absence."""

from datetime import UTC, datetime, timedelta

import pytest

from order_entry_gateway.loops.phase_schedule import (
    PHASE_DUE_US,
    AroundTheClock,
    Daily,
    Schedule,
    decode,
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
    assert due(schedule, PHASE_DUE_US, now_us) == [(now_us, "continuous")]
    assert due(schedule, now_us, now_us + 10**12) == []


def test_around_the_clock_nothing_is_ever_due() -> None:
    assert due(AroundTheClock(), 0, us("2026-11-20T12:00")) == []
    assert upcoming(AroundTheClock(), 0) is None
    assert decode('{"mode":"around_the_clock"}') == AroundTheClock()


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Daily(time_zone="Mars/Base"), "time_zone"),
        (Daily(time_zone="localtime"), "time_zone"),
        (Daily(time_zone="posixrules"), "time_zone"),
        (Daily(time_zone="Factory"), "time_zone"),
        (Daily(time_zone="right/America/New_York"), "time_zone"),
        (Daily(time_zone="posix/America/New_York"), "time_zone"),
        (Daily(time_zone="../../etc/passwd"), "time_zone"),
        (Daily(open="9 o'clock"), "open"),
        (Daily(open="09:30Z"), "open"),
        (Daily(close="16:00+05:00"), "close"),
        (Daily(pre_open="0400"), "pre_open"),
        (Daily(opening_auction="09:28:00.5"), "opening_auction"),
        (Daily(closing_auction="15"), "closing_auction"),
        (
            Daily("UTC", *(f"{at}+05:00" for at in ("04:00", "09:28", "09:30", "15:55", "16:00"))),
            "pre_open",
        ),
        (Daily(open="09:30:15"), None),
        (Daily(holidays=("20261127",)), "holidays"),
        (Daily(holidays=("2026-W48-5",)), "holidays"),
        (Daily(holidays=("2026-11-31",)), "holidays"),
        (Daily(holidays=("2026-11-27",) * 1_001), "holidays"),
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


def test_a_new_schedule_begins_with_the_phase_of_now() -> None:
    assert due(DAY, PHASE_DUE_US, us("2026-11-20T12:00")) == [
        (us("2026-11-20T08:00"), "continuous")
    ]


@pytest.mark.parametrize("holidays", [("2026-11-20",), ("2026-11-13", "2026-11-20")])
def test_a_new_schedule_closes_a_venue_whose_last_trading_days_were_holidays(
    holidays: tuple[str, ...],
) -> None:
    """A Thursday, and trading on Fridays only."""
    schedule = Daily("UTC", weekdays=("fri",), holidays=holidays)
    assert [phase for _, phase in due(schedule, PHASE_DUE_US, us("2026-11-26T12:00"))] == ["closed"]


def test_a_schedule_without_a_trading_day_in_a_year_closes_the_venue_once() -> None:
    now_us = us("2026-11-26T12:00")
    schedule = Daily("UTC", weekdays=("fri",), holidays=tuple(_fridays_before("2026-11-26")))
    assert due(schedule, PHASE_DUE_US, now_us) == [(now_us, "closed")]
    assert due(schedule, now_us, now_us + 1_000_000) == []


def _fridays_before(day: str) -> list[str]:
    last = datetime.fromisoformat(day)
    days = (last - timedelta(days=back) for back in range(1, 367))
    return [day.date().isoformat() for day in days if day.weekday() == 4]


def test_after_a_long_absence_the_last_phase_before_the_holidays_is_due() -> None:
    """Stopped while it traded on the 6th, started on the 26th, no trading day after the 6th."""
    schedule = Daily("UTC", weekdays=("fri",), holidays=("2026-11-13", "2026-11-20"))
    found = due(schedule, us("2026-11-06T10:00"), us("2026-11-26T12:00"))
    assert found == [(us("2026-11-06T16:00"), "closed")]


def test_times_that_the_clock_skips_keep_the_order_of_the_phases() -> None:
    """Cairo, 2027-04-30: the clock goes from 00:00 to 01:00."""
    schedule = Daily("Africa/Cairo", "00:00", "00:30", "01:00", "20:00", "21:00")
    found = due(schedule, us("2027-04-29T21:00"), us("2027-04-30T20:00"))
    jump_us = us("2027-04-29T22:00")
    assert found == [
        (jump_us, "pre_open"),
        (jump_us + 1, "opening_auction"),
        (jump_us + 2, "continuous"),
        (us("2027-04-30T17:00"), "closing_auction"),
        (us("2027-04-30T18:00"), "closed"),
    ]


def test_a_phase_within_skipped_times_begins_when_the_clock_goes_on() -> None:
    """New York, 2027-03-14: the clock goes from 02:00 to 03:00, which is 07:00 in UTC."""
    schedule = Daily("America/New_York", "01:00", "02:15", "03:30", "20:00", "21:00", ("sun",))
    found = due(schedule, us("2027-03-14T05:00"), us("2027-03-14T08:00"))
    assert found == [
        (us("2027-03-14T06:00"), "pre_open"),
        (us("2027-03-14T07:00"), "opening_auction"),
        (us("2027-03-14T07:30"), "continuous"),
    ]


def test_a_day_that_a_zone_leaves_out_has_no_phases() -> None:
    schedule = Daily("Pacific/Apia", weekdays=("fri",))
    assert due(schedule, us("2011-12-29T00:00"), us("2012-01-01T00:00")) == []
