"""The clock of a campaign's second gateway."""

from service_runtime.clock import SystemClock
from venue_chaos.skewed_gateway import SkewedClock


def test_a_skewed_clock_is_ahead_or_behind_by_its_seconds() -> None:
    now_us = SystemClock().now_us()
    for ahead_s in (86_400, -90):
        off_us = SkewedClock(ahead_s).now_us() - now_us - ahead_s * 1_000_000
        assert 0 <= off_us < 60_000_000
