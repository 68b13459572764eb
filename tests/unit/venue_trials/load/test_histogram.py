"""Percentiles of the load generator: any range, error below one per cent, never below what was
recorded.
"""

import random

from hypothesis import given
from hypothesis import strategies as st

from venue_trials.load.histogram import Histogram, summary, summary_of

VALUES = st.lists(st.integers(0, 10**10), min_size=1, max_size=200)


def exact(values: list[int], percent: float) -> int:
    """The obvious way: sort and count."""
    ordered = sorted(values)
    return next(
        value for place, value in enumerate(ordered, 1) if place >= len(ordered) * percent / 100
    )


@given(VALUES, st.sampled_from([1, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_the_sorted_one_or_less_than_one_per_cent_above(
    values: list[int], percent: float
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    found, wanted = histogram.percentile(percent), exact(values, percent)
    assert found is not None and wanted <= found <= wanted * 1.01


def test_small_values_are_exact() -> None:
    histogram = Histogram()
    for value in range(200):
        histogram.record(value)
    assert [histogram.percentile(percent) for percent in (0.5, 50, 100)] == [0, 99, 199]


def test_a_weight_counts_as_often_as_it_says() -> None:
    by_weight, one_by_one = summary_of([(10, 99), (9_000, 1)]), Histogram()
    for value in [10] * 99 + [9_000]:
        one_by_one.record(value)
    assert by_weight == summary(one_by_one)
    assert (by_weight.count, by_weight.p99_ms, by_weight.longest_ms) == (100, 0.01, 9.0)


def test_the_longest_is_never_exceeded_and_never_lost() -> None:
    dice = random.Random(7)
    values = [int(dice.expovariate(1 / 50_000)) for _ in range(10_000)]
    found = summary_of((value, 1) for value in values)
    assert found.longest_ms == max(values) / 1000
    assert found.p999_ms is not None and found.p999_ms <= found.longest_ms


def test_nothing_recorded_has_no_percentiles() -> None:
    empty = summary(Histogram())
    assert (empty.count, empty.p50_ms, empty.longest_ms) == (0, None, None)


def test_a_clock_that_went_back_counts_as_zero() -> None:
    histogram = Histogram()
    histogram.record(-5)
    assert histogram.percentile(100) == 0
