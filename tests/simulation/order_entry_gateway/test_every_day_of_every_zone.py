"""Thirty years of trading days in zones whose clocks jump, skip days and change their rules."""

from datetime import UTC, datetime, timedelta

import pytest

from order_entry_gateway.loops.phase_schedule import Daily, due


def us(text: str) -> int:
    """Microseconds of a moment in UTC."""
    return (
        datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    ) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "zone",
    [
        "Africa/Cairo",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Europe/London",
        "Pacific/Apia",
        "Antarctica/Troll",
    ],
)
@pytest.mark.parametrize("hour", range(0, 4))
def test_phases_come_in_their_order_on_every_day_of_every_zone(zone: str, hour: int) -> None:
    """Thirty years of phases a quarter of an hour apart, in the hours in which clocks change."""
    times = (f"{hour + minutes // 60:02}:{minutes % 60:02}" for minutes in (0, 15, 30, 45, 60))
    everyday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    schedule = Daily(zone, *times, everyday)
    day = ["pre_open", "opening_auction", "continuous", "closing_auction", "closed"]
    for year in range(2008, 2038):
        start_us, end_us = us(f"{year}-01-01T12:00"), us(f"{year}-12-24T12:00")
        for first_us in range(start_us, end_us, 6 * 86_400 * 10**6):
            found = due(schedule, first_us, first_us + 6 * 86_400 * 10**6)
            times_us = [at_us for at_us, _ in found]
            assert times_us == sorted(set(times_us))
            phases = [phase for _, phase in found]
            first = day.index(phases[0])
            assert phases == [day[(first + number) % 5] for number in range(len(phases))]
