"""Moments at the edge: exact in both directions, and nothing else is read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.times import TimeError, format_utc, parse_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59, 59, 999_999))
)
def test_every_moment_is_the_one_of_the_calendar(moment: datetime) -> None:
    time_us = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    text = moment.isoformat(timespec="microseconds") + "Z"
    assert (parse_utc(text), format_utc(time_us)) == (time_us, text)


def test_decimals_may_be_left_out() -> None:
    assert (
        parse_utc("1970-01-02T00:00:00Z") == parse_utc("1970-01-02T00:00:00.0Z") == 86_400_000_000
    )
    assert parse_utc("1970-01-01T00:00:00.05Z") == 50_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T14:30:00",
        "2026-11-21T14:30:00+00:00",
        "2026-11-21 14:30:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T23:60:00Z",
        "2026-11-21T23:59:60Z",
        "2026-11-21T23:59:59.1234567Z",
        "٢٠٢٦-11-21T14:30:00Z",
        "2026-11-21T14:30:00Z\n",
    ],
)
def test_what_is_no_moment_in_utc_is_refused(text: str) -> None:
    with pytest.raises(TimeError):
        parse_utc(text)
