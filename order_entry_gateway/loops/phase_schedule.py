"""When the phases of a trading day are due.

A venue trades around the clock unless it has a schedule.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.trading_day import (
    CLOSED,
    CLOSING_AUCTION,
    CONTINUOUS,
    OPENING_AUCTION,
    PRE_OPEN,
    Phase,
)

CATCH_UP_DAYS = 7
"""After a longer absence only the phases of the last days are commanded."""
OPEN_DUE_US = -1
"""How far a venue is commanded that shall trade around the clock from now on: it has to be opened
yet.
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AroundTheClock(
    msgspec.Struct,
    frozen=True,
    tag_field="mode",
    tag="around_the_clock",
    forbid_unknown_fields=True,
):
    """Continuous from when this is set, until somebody commands otherwise."""


class Daily(
    msgspec.Struct, frozen=True, tag_field="mode", tag="schedule", forbid_unknown_fields=True
):
    """The phases of each trading day, at times of day in one time zone, each later than the one
    before.
    """

    time_zone: str = "America/New_York"
    pre_open: str = "04:00"
    opening_auction: str = "09:28"
    open: str = "09:30"
    closing_auction: str = "15:55"
    close: str = "16:00"
    weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
    )
    holidays: tuple[str, ...] = ()
    """Dates without trading, ISO 8601."""


Schedule = AroundTheClock | Daily

_decoder = msgspec.json.Decoder(Schedule)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def decode(body: bytes | str) -> Schedule:
    """A stored schedule."""
    stored: Schedule = _decoder.decode(body)
    return stored


def refuse(schedule: Schedule) -> Refusal | None:
    """Why this is no schedule; None if it is one."""
    if isinstance(schedule, AroundTheClock):
        return None
    try:
        ZoneInfo(schedule.time_zone)
    except (ValueError, OSError, LookupError):
        return Refusal(
            RejectReason.INVALID_FIELD, f"no time zone {schedule.time_zone[:64]!r}", "time_zone"
        )
    try:
        times = [at for at, _ in _steps(schedule)]
    except ValueError:
        return Refusal(RejectReason.INVALID_FIELD, "times of day are HH:MM or HH:MM:SS", "open")
    if any(later <= earlier for earlier, later in pairwise(times)):
        return Refusal(
            RejectReason.INVALID_FIELD, "each phase must begin later than the one before", "open"
        )
    if not schedule.weekdays:
        return Refusal(RejectReason.INVALID_FIELD, "name at least one weekday", "weekdays")
    try:
        [date.fromisoformat(day) for day in schedule.holidays]
    except ValueError:
        return Refusal(
            RejectReason.INVALID_FIELD, "holidays are dates such as 2026-12-25", "holidays"
        )
    return None


def due(schedule: Schedule, after_us: int, until_us: int) -> list[tuple[int, Phase]]:
    """The phases that begin after `after_us` and at `until_us` at the latest, in order, with their
    times.
    """
    if isinstance(schedule, AroundTheClock):
        return [(until_us, CONTINUOUS)] if after_us == OPEN_DUE_US else []
    after_us = max(after_us, until_us - CATCH_UP_DAYS * 86_400_000_000)
    return [
        (at_us, phase)
        for at_us, phase in _between(schedule, after_us, until_us)
        if after_us < at_us <= until_us
    ]


def upcoming(schedule: Schedule, now_us: int) -> tuple[int, Phase] | None:
    """The next phase; None around the clock, or when the coming year has no trading day."""
    if isinstance(schedule, AroundTheClock):
        return None
    found = _between(schedule, now_us, now_us + 366 * 86_400_000_000)
    return next(((at_us, phase) for at_us, phase in found if at_us > now_us), None)


def _between(schedule: Daily, first_us: int, last_us: int) -> Iterator[tuple[int, Phase]]:
    """Every phase of the local days from the first moment's to the last one's."""
    zone = ZoneInfo(schedule.time_zone)
    day, last = (_local(at_us, zone).date() for at_us in (first_us, last_us))
    while day <= last:
        if _DAYS[day.weekday()] in schedule.weekdays and day.isoformat() not in schedule.holidays:
            for at, phase in _steps(schedule):
                yield _us(datetime.combine(day, at, zone)), phase
        day += timedelta(days=1)


def _steps(schedule: Daily) -> list[tuple[time, Phase]]:
    return [
        (time.fromisoformat(schedule.pre_open), PRE_OPEN),
        (time.fromisoformat(schedule.opening_auction), OPENING_AUCTION),
        (time.fromisoformat(schedule.open), CONTINUOUS),
        (time.fromisoformat(schedule.closing_auction), CLOSING_AUCTION),
        (time.fromisoformat(schedule.close), CLOSED),
    ]


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def encode(schedule: Schedule) -> str:
    """What `decode` reads."""
    return msgspec.json.encode(schedule).decode()


def done_before_now(schedule: Schedule, now_us: int) -> int:
    """Where a new schedule begins: so that the phase that it is in now is commanded, and none
    before.
    """
    if isinstance(schedule, AroundTheClock):
        return OPEN_DUE_US
    earlier = due(schedule, 0, now_us)
    return earlier[-1][0] - 1 if earlier else now_us
