"""Values, stress and volume regimes: functions of seed, security and time."""

import itertools
import math
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from trading_bots.dice import dice
from trading_bots.population.draws import (
    children_of_parent,
    distance_ticks,
    poisson,
    resting_size,
    taking_size,
)
from trading_bots.population.parameters import (
    ProviderParameters,
    RegimeParameters,
    TakerParameters,
    ValueParameters,
)
from trading_bots.population.regimes import VolumeRegimes
from trading_bots.population.values import STEP_US, DailyPrices, FundamentalValue, Stress

ORIGIN = 1_767_623_400_000_000
HOURS_8 = 28_800


def _value(
    security: str = "ACME", parameters: ValueParameters | None = None, seed: int = 7
) -> FundamentalValue:
    return FundamentalValue(seed, security, 100.0, ORIGIN, parameters or ValueParameters())


def _logs(value: FundamentalValue, seconds: int = HOURS_8) -> list[float]:
    return [math.log(value.at(ORIGIN + step * STEP_US)) for step in range(seconds)]


def _changes(value: FundamentalValue) -> list[float]:
    logs = _logs(value)
    return [after - before for before, after in itertools.pairwise(logs)]


def test_a_value_is_the_same_whatever_was_asked_before() -> None:
    asked_late, asked_in_order = _value(), _value()
    late = asked_late.at(ORIGIN + 500 * STEP_US)
    in_order = [asked_in_order.at(ORIGIN + step * STEP_US) for step in range(501)]
    assert late == in_order[-1]
    assert asked_late.at(ORIGIN + 3 * STEP_US) == in_order[3]
    assert in_order[0] == pytest.approx(100.0)
    assert asked_late.at(ORIGIN - STEP_US) == in_order[0]


def test_values_of_other_seeds_and_securities_differ() -> None:
    at = ORIGIN + 100 * STEP_US
    assert len({_value().at(at), _value("BOLT").at(at), _value(seed=8).at(at)}) == 3


def test_a_value_moves_by_its_deviation_in_a_second() -> None:
    calm = ValueParameters(deviation_bps=2.0, stress_sigma=0.0)
    assert pstdev(_changes(_value(parameters=calm))) == pytest.approx(2e-4, rel=0.02)


def test_two_values_correlate_by_the_market_share() -> None:
    calm = ValueParameters(market_share=0.3, stress_sigma=0.0)
    one, two = _changes(_value("ACME", calm)), _changes(_value("BOLT", calm))
    products = fmean(x * y for x, y in zip(one, two, strict=True))
    assert products / (pstdev(one) * pstdev(two)) == pytest.approx(0.3, abs=0.03)


def test_jumps_are_off_unless_asked_for() -> None:
    usual = max(map(abs, _changes(_value())))
    jumps = ValueParameters(jumps_per_hour=4.0, jump_bps=300.0)
    assert usual < 0.003
    assert max(map(abs, _changes(_value(parameters=jumps)))) > 0.01


def test_stress_returns_to_its_mean_of_one() -> None:
    parameters = ValueParameters(stress_sigma=0.3, stress_half_life_s=30.0)
    stress = Stress(3, ORIGIN, parameters)
    levels = [stress.level(ORIGIN + step * STEP_US) for step in range(4 * HOURS_8)]
    assert fmean(levels) == pytest.approx(1.0, abs=0.02)
    assert pstdev(map(math.log, levels)) == pytest.approx(0.3, rel=0.1)
    assert min(levels) < 0.8 and max(levels) > 1.3


def test_daily_prices_are_met_at_the_end_of_each_day(tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("Date,Close,Adj Close\n1,20,10\n2,22,11\n3,40,20\n")
    value = DailyPrices(prices, 50.0, ORIGIN, day_s=100.0)
    at = [value.at(ORIGIN + second * 1_000_000) for second in (0, 50, 100, 200, 900)]
    assert at == pytest.approx([50.0, 50 * math.sqrt(1.1), 55.0, 100.0, 100.0])


def test_a_file_with_one_price_is_refused(tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("Date,Close\n1,20\n")
    with pytest.raises(ValueError, match="two or more"):
        DailyPrices(prices, 50.0, ORIGIN)


def test_arrivals_at_a_volume_regime_keep_their_mean_rate() -> None:
    regimes = VolumeRegimes(5, "ACME", ORIGIN, RegimeParameters())
    random, now_us, arrivals = dice(5, "arrivals"), ORIGIN, 0
    while now_us < ORIGIN + 40 * HOURS_8 * STEP_US:
        now_us += round(regimes.wait_s(now_us, random.expovariate(0.2)) * 1e6)
        arrivals += 1
    assert arrivals / (40 * HOURS_8) == pytest.approx(0.2, rel=0.05)


def test_the_wait_for_an_arrival_adds_up_the_factors() -> None:
    regimes = VolumeRegimes(5, "ACME", ORIGIN, RegimeParameters(mean_length_s=2.0))
    wait_s = regimes.wait_s(ORIGIN, 25.0)
    steps = int(wait_s * 1000)
    summed = sum(regimes.factor(ORIGIN + step * 1000) for step in range(steps)) / 1000
    assert summed == pytest.approx(25.0, rel=0.01)


def test_distances_follow_the_power_law() -> None:
    random = dice(1, "distances")
    drawn = [distance_ticks(random, 1.83, 20.0, 200.0) for _ in range(40_000)]
    weights = [(d + 20.5) ** -1.83 for d in range(1, 201)]
    assert (min(drawn), max(drawn)) == (1, 200)
    for d in (1, 5, 30):
        expected = weights[d - 1] / sum(weights)
        assert drawn.count(d) / len(drawn) == pytest.approx(expected, rel=0.12)


def test_sizes_and_children_have_the_shares_and_means_of_the_table() -> None:
    random = dice(2, "sizes")
    resting = [resting_size(random, ProviderParameters()) for _ in range(20_000)]
    taking = [taking_size(random, TakerParameters()) for _ in range(20_000)]
    children = [children_of_parent(random, TakerParameters()) for _ in range(20_000)]
    assert resting.count(100) / 20_000 == pytest.approx(0.5, abs=0.02)
    assert taking.count(100) / 20_000 == pytest.approx(0.35, abs=0.02)
    assert min(children) == 2
    assert fmean(poisson(random, 0.7) for _ in range(20_000)) == pytest.approx(0.7, abs=0.03)
