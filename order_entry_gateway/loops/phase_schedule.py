"""When the phases of a trading day are due.

A venue trades around the clock unless it has a schedule.
"""

import re
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
PHASE_DUE_US = -1
"""How far a new schedule is commanded: the phase that the venue should be in now is due."""
MOST_HOLIDAYS = 1_000
_YEAR_US = 366 * 86_400_000_000
_DAY_US = 86_400_000_000
_NO_PLACES = frozenset({"localtime", "posixrules", "Factory"})
"""Names for whatever zone a machine is set to, or not: two gateways could have two of them."""
_OTHER_CLOCKS = ("posix/", "right/")
"""Copies of all zones that some machines have; the second counts leap seconds: 27 s apart."""
_TIME_OF_DAY = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
"""`time.fromisoformat` takes more (an offset, fractions) and drops what it is not asked for."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""`date.fromisoformat` also takes 20261225 and 2026-W52-5, which no list of dates would match."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AroundTheClock(
    msgspec.Struct,
    frozen=True,
    tag_field="mode",
    tag="around_the_clock",
    forbid_unknown_fields=True,
):
    """Continuous trading from when this is set, until an administrator commands otherwise."""


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
        name = schedule.time_zone
        is_place = name not in _NO_PLACES and not name.startswith(_OTHER_CLOCKS)
        is_zone = is_place and bool(ZoneInfo(name))
    except (ValueError, OSError, LookupError):
        is_zone = False
    if not is_zone:
        return Refusal(
            RejectReason.INVALID_FIELD, f"no time zone {schedule.time_zone[:64]!r}", "time_zone"
        )
    for field, phase in _PHASE_OF_FIELD.items():
        if not _is_time_of_day(getattr(schedule, field)):
            message = f"{phase} begins at HH:MM or HH:MM:SS, local time of {schedule.time_zone}"
            return Refusal(RejectReason.INVALID_FIELD, message, field)
    times = [at for at, _ in _steps(schedule)]
    if any(later <= earlier for earlier, later in pairwise(times)):
        return Refusal(
            RejectReason.INVALID_FIELD, "each phase must begin later than the one before", "open"
        )
    if not schedule.weekdays:
        return Refusal(RejectReason.INVALID_FIELD, "name at least one weekday", "weekdays")
    if len(schedule.holidays) > MOST_HOLIDAYS or not all(map(_is_date, schedule.holidays)):
        message = f"holidays are dates such as 2026-12-25, at most {MOST_HOLIDAYS:,}"
        return Refusal(RejectReason.INVALID_FIELD, message, "holidays")
    return None


def _is_time_of_day(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return _TIME_OF_DAY.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


def due(schedule: Schedule, after_us: int, until_us: int) -> list[tuple[int, Phase]]:
    """The phases that begin after `after_us` and at `until_us` at the latest, with their times.

    In order, each later than the one before. After an absence only those of the last
    CATCH_UP_DAYS, or the last one before them: the venue must not stay in a phase that ended.
    With PHASE_DUE_US only the phase of `until_us` itself: a venue without a trading day in the
    past year is closed.
    """
    if isinstance(schedule, AroundTheClock):
        return [(until_us, CONTINUOUS)] if after_us == PHASE_DUE_US else []
    found = [
        (at_us, phase)
        for at_us, phase in _between(schedule, max(after_us, until_us - _YEAR_US), until_us)
        if after_us < at_us <= until_us
    ]
    if after_us == PHASE_DUE_US:
        return found[-1:] or [(until_us, CLOSED)]
    return [step for step in found if step[0] > until_us - CATCH_UP_DAYS * _DAY_US] or found[-1:]


def upcoming(schedule: Schedule, now_us: int) -> tuple[int, Phase] | None:
    """The next phase; None around the clock, or when the coming year has no trading day."""
    if isinstance(schedule, AroundTheClock):
        return None
    found = _between(schedule, now_us, now_us + _YEAR_US)
    return next(((at_us, phase) for at_us, phase in found if at_us > now_us), None)


def _between(schedule: Daily, first_us: int, last_us: int) -> Iterator[tuple[int, Phase]]:
    """Every phase of the local days from the first moment's to the last one's, in order."""
    zone = ZoneInfo(schedule.time_zone)
    day, last = (_local(at_us, zone).date() for at_us in (first_us, last_us))
    holidays = {date.fromisoformat(holiday) for holiday in schedule.holidays}
    while day <= last:
        is_weekday = _DAYS[day.weekday()] in schedule.weekdays
        if is_weekday and day not in holidays and _exists(day, zone):
            before_us = 0
            for at, phase in _steps(schedule):
                # Times that the clock skips fall on one moment: still one phase after the other.
                before_us = max(_us(_moment(day, at, zone)), before_us + 1)
                yield before_us, phase
        day += timedelta(days=1)


def _exists(day: date, zone: ZoneInfo) -> bool:
    """False for a day that a zone left out when it crossed the date line (Samoa, 2011-12-30)."""
    return _moment(day, time(12), zone).astimezone(zone).date() == day


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When a clock on the wall first shows this time, or a later one.

    Example: Cairo, 2027-04-30: the clock goes from 00:00 to 01:00, so 00:00, 00:30 and 01:00 are
    one moment. Without this, 00:30 would come half an hour after 01:00.
    """
    wall = datetime.combine(day, at, zone)
    shown = wall.astimezone(UTC)
    if shown.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return shown
    # In a gap fold=1 reads the time with the offset after it, which is a moment before the gap.
    before, after = wall.replace(fold=1).astimezone(UTC), shown
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


_PHASE_OF_FIELD: dict[str, Phase] = {
    "pre_open": PRE_OPEN,
    "opening_auction": OPENING_AUCTION,
    "open": CONTINUOUS,
    "closing_auction": CLOSING_AUCTION,
    "close": CLOSED,
}


def _steps(schedule: Daily) -> list[tuple[time, Phase]]:
    return [
        (time.fromisoformat(getattr(schedule, field)), phase)
        for field, phase in _PHASE_OF_FIELD.items()
    ]


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def encode(schedule: Schedule) -> str:
    """What `decode` reads."""
    return msgspec.json.encode(schedule).decode()
