"""Latencies in buckets whose width grows with the value, as in HdrHistogram: any range, error below
one per cent.
"""

from collections.abc import Iterable

import msgspec

_EXACT_BITS = 8
"""Values below 2**8 have a bucket each; above, each power of two is cut into 2**7."""


class Histogram:
    """Counts of whole microseconds, >= 0."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.longest_us = 0

    def record(self, value_us: int, times: int = 1) -> None:
        """Add a value `times` times; one below zero counts as zero."""
        value_us = max(0, value_us)
        bucket = _bucket(value_us)
        self._counts[bucket] = self._counts.get(bucket, 0) + times
        self.count += times
        self.longest_us = max(self.longest_us, value_us)

    def percentile(self, percent: float) -> int | None:
        """The smallest recorded value, to a bucket, that `percent` of all do not exceed; None when
        there is none.
        """
        if not self.count:
            return None
        wanted = self.count * percent / 100
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_highest(bucket), self.longest_us)
        return self.longest_us


class Latency(msgspec.Struct, frozen=True):
    """What a distribution says, in milliseconds; None where nothing was recorded."""

    count: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    longest_ms: float | None


def summary(histogram: Histogram) -> Latency:
    """The percentiles of a histogram."""
    p50, p90, p99, p999, longest = (
        histogram.percentile(percent) for percent in (50, 90, 99, 99.9, 100)
    )
    return Latency(histogram.count, _ms(p50), _ms(p90), _ms(p99), _ms(p999), _ms(longest))


def summary_of(values: Iterable[tuple[int, int]]) -> Latency:
    """The percentiles of (microseconds, how often)."""
    histogram = Histogram()
    for value_us, times in values:
        histogram.record(value_us, times)
    return summary(histogram)


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000


def _bucket(value_us: int) -> int:
    shift = max(0, value_us.bit_length() - _EXACT_BITS)
    return (shift << _EXACT_BITS) + (value_us >> shift)


def _highest(bucket: int) -> int:
    """The largest value of a bucket."""
    shift, head = bucket >> _EXACT_BITS, bucket & ((1 << _EXACT_BITS) - 1)
    return ((head + 1) << shift) - 1
