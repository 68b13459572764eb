"""Moments: whole microseconds since the Unix epoch inside, ISO 8601 in UTC at the edge."""

import re

_TEXT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?Z"
)
_DAY_S = 86_400
_DAYS_TO_EPOCH = 719_468
"""From 1 March of the year 0 to 1 January 1970."""


class TimeError(ValueError):
    """The text is not a moment that the venue can represent exactly."""


def parse_utc(text: str) -> int:
    """Microseconds since the epoch of `2026-11-21T14:30:00Z`, with up to six decimals; TimeError
    for any other text.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise TimeError(
            f"{text[:40]!r} is not of the form 2026-11-21T14:30:00Z (UTC, up to six decimals)"
        )
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    days = _days(year, month, day) if 1 <= month <= 12 else 0
    if _date(days) != (year, month, day) or hour > 23 or minute > 59 or second > 59:
        raise TimeError(f"{text[:40]!r} is no moment of the calendar")
    return (days * _DAY_S + hour * 3600 + minute * 60 + second) * 1_000_000 + int(
        (found[7] or "0").ljust(6, "0")
    )


def format_utc(time_us: int) -> str:
    """ISO 8601 in UTC with microseconds and Z."""
    seconds, microseconds = divmod(time_us, 1_000_000)
    days, second = divmod(seconds, _DAY_S)
    year, month, day = _date(days)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{microseconds:06d}"
    return f"{year:04d}-{month:02d}-{day:02d}T{clock}Z"


def _days(year: int, month: int, day: int) -> int:
    """Days since the epoch.

    Years are counted from March, so that a leap day is the last of its year.
    """
    years, months = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return (
        years * 365
        + years // 4
        - years // 100
        + years // 400
        + (153 * months + 2) // 5
        + day
        - 1
        - _DAYS_TO_EPOCH
    )


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day; the inverse of `_days`."""
    eras, of_era = divmod(days + _DAYS_TO_EPOCH, 146_097)
    years = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * years + years // 4 - years // 100)
    months = (5 * of_year + 2) // 153
    day = of_year - (153 * months + 2) // 5 + 1
    month = months + 3 if months < 10 else months - 9
    return eras * 400 + years + (month <= 2), month, day
