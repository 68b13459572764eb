"""One-pass statistics against the plain formulas over the whole series."""

from statistics import fmean, pvariance

import pytest

from trading_bots.dice import dice
from venue_simulation.running_statistics import Autocorrelation, Moments, WeightedHistogram

_DICE = dice(2, "series")
SERIES = [_DICE.gauss(1, 2) ** 3 for _ in range(500)]


def _autocorrelation(values: list[float], lag: int) -> float:
    mean = fmean(values)
    products = sum(
        (values[at] - mean) * (values[at - lag] - mean) for at in range(lag, len(values))
    )
    return products / sum((value - mean) ** 2 for value in values)


def test_moments_are_those_of_the_plain_formulas() -> None:
    moments = Moments()
    for value in SERIES:
        moments.add(value)
    mean, variance = fmean(SERIES), pvariance(SERIES)
    fourth = fmean((value - mean) ** 4 for value in SERIES)
    assert moments.mean == pytest.approx(mean)
    assert moments.deviation == pytest.approx(variance**0.5)
    assert moments.excess_kurtosis == pytest.approx(fourth / variance**2 - 3)


def test_two_values_of_equal_weight_have_the_least_kurtosis() -> None:
    moments = Moments()
    for value in (1.0, -1.0) * 10:
        moments.add(value)
    assert moments.excess_kurtosis == pytest.approx(-2.0)


def test_what_does_not_vary_has_no_kurtosis_and_no_autocorrelation() -> None:
    moments, autocorrelation = Moments(), Autocorrelation(1)
    for _ in range(10):
        moments.add(0.1)
        autocorrelation.add(0.1)
    assert (moments.excess_kurtosis, autocorrelation.value) == (0.0, 0.0)


@pytest.mark.parametrize("lag", [1, 5, 10])
def test_autocorrelation_is_the_plain_biased_estimator(lag: int) -> None:
    autocorrelation = Autocorrelation(lag)
    for value in SERIES:
        autocorrelation.add(value)
    assert autocorrelation.value == pytest.approx(_autocorrelation(SERIES, lag))


def test_alternating_signs_are_opposed_at_lag_1_and_alike_at_lag_2() -> None:
    one, two = Autocorrelation(1), Autocorrelation(2)
    for at in range(1000):
        one.add((-1) ** at)
        two.add((-1) ** at)
    assert one.value == pytest.approx(-1.0, abs=0.01)
    assert two.value == pytest.approx(1.0, abs=0.01)


def test_a_series_no_longer_than_the_lag_says_nothing() -> None:
    autocorrelation = Autocorrelation(5)
    for value in SERIES[:5]:
        autocorrelation.add(value)
    assert autocorrelation.value == 0.0


def test_the_median_is_where_half_of_the_weight_is() -> None:
    histogram = WeightedHistogram(most=50)
    for number, weight in ((3, 2.0), (1, 1.0), (7, 0.5), (900, 0.5)):
        histogram.add(number, weight)
    assert histogram.median == 3
    assert histogram.quantile(1.0) == 50
    assert histogram.mean == pytest.approx((6 + 1 + 3.5 + 25) / 4)
    assert histogram.share(3) == pytest.approx(0.5)
    assert histogram.share_below(7) == pytest.approx(0.75)
    assert WeightedHistogram().median == 0
