"""Moments: whole microseconds since the Unix epoch inside, ISO 8601 in UTC at the edge."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")


class TimeError(ValueError):
    """The text is not a moment that the venue can represent exactly."""


def parse_utc(text: str) -> int:
    """Microseconds since the epoch of `2026-11-21T14:30:00Z`, with up to six decimals; TimeError for any other text."""
    if _TEXT.fullmatch(text) is None:
        raise TimeError(f"{text[:40]!r} is not of the form 2026-11-21T14:30:00Z (UTC, up to six decimals)")
    try:
        moment = datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError as error:
        raise TimeError(f"{text[:40]!r} is no moment: {error}") from error
    return (moment - _EPOCH) // timedelta(microseconds=1)


def format_utc(time_us: int) -> str:
    """ISO 8601 in UTC with microseconds and Z."""
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")
