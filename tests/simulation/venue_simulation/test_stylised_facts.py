"""The table of facts, and the observer on a market of the default population."""

from decimal import Decimal

import pytest

from venue_simulation.backtest import BacktestSettings, plan_of
from venue_simulation.fact_run import measure
from venue_simulation.fact_table import JUDGED, SHOWN, Reference, table, verdict
from venue_simulation.market_run import MarketRun, run_market
from venue_simulation.parent_impact import ImpactSums
from venue_simulation.stylised_facts import StylisedFacts

REAL = {each.fact: each.stocks[0] for each in (*JUDGED, *SHOWN)}
REAL |= {"range_percent": 2.0, "two_sided_percent": 100.0}


def test_a_range_is_widened_by_the_factor_where_all_stocks_are_above_zero() -> None:
    spread = Reference("spread_bps", "spread", (3.0, 6.0, 4.0))
    assert (spread.low, spread.high) == (2.0, 9.0)
    assert spread.is_met(2.0) and not spread.is_met(1.99)
    assert spread.is_met(9.0) and not spread.is_met(9.01)


def test_a_range_around_zero_is_widened_about_its_middle() -> None:
    signed = Reference("return_autocorrelation_1s", "returns", (-0.1, 0.3, 0.0))
    assert signed.low == pytest.approx(-0.2)
    assert signed.high == pytest.approx(0.4)


def test_the_real_stock_passes() -> None:
    found = verdict([REAL])
    assert (found.in_range, found.judged, found.is_passed) == (12, 12, True)
    assert table([REAL], ImpactSums())[-1].startswith("passed: 12 of 12")


def test_nine_facts_in_range_pass_and_eight_do_not() -> None:
    off = dict.fromkeys(("spread_bps", "return_kurtosis_1s", "return_kurtosis_10s"), 1_000.0)
    assert verdict([REAL | off]).is_passed
    found = verdict([REAL | off | {"return_kurtosis_60s": 0.0}])
    assert (found.in_range, found.is_passed) == (8, False)


def test_one_market_that_runs_away_fails_all() -> None:
    calm = [REAL] * 7
    assert verdict([*calm, REAL | {"range_percent": 5.0}]).is_passed
    assert not verdict([*calm, REAL | {"range_percent": 5.1}]).is_passed


def test_the_median_over_markets_is_judged() -> None:
    wild = REAL | {"spread_bps": 100.0}
    assert verdict([REAL, REAL, wild]).in_range == 12
    assert verdict([REAL, wild, wild]).in_range == 11


SHORT = BacktestSettings(seed=4, seconds=300.0)


@pytest.fixture(scope="module")
def played() -> tuple[StylisedFacts, MarketRun]:
    facts = StylisedFacts(warm_up_s=30.0)
    return facts, run_market(plan_of(SHORT), [facts])


def test_the_population_makes_a_market_with_both_sides_and_a_narrow_spread(
    played: tuple[StylisedFacts, MarketRun],
) -> None:
    facts, run = played
    found = facts.facts(run.plan.end_us)["ACME"]
    assert found["two_sided_percent"] > 99
    assert 1 <= found["spread_ticks_median"] <= 10
    assert found["largest_move_1s_percent"] < 1
    assert found["deleted_unfilled_percent"] > 50
    assert 0 < found["return_deviation_1s_bps"] < 5


def test_takers_and_trades_are_those_of_the_market(
    played: tuple[StylisedFacts, MarketRun],
) -> None:
    whole = StylisedFacts(warm_up_s=0.0)
    run = run_market(plan_of(SHORT), [whole])
    found = whole.facts(run.plan.end_us)["ACME"]
    assert found["taker_orders"] * found["taker_size_mean"] == pytest.approx(run.counts["shares"])
    assert 0 < found["taker_orders"] <= run.counts["trades"]
    assert run.log_hash == played[1].log_hash


def test_nobody_of_the_population_runs_dry_or_is_refused(
    played: tuple[StylisedFacts, MarketRun],
) -> None:
    for bot in played[1].bots.values():
        assert bot.stopped is None
        assert not bot.refused
        assert bot.end_e4 > Decimal("0.95") * bot.start_e4


def test_measured_markets_are_told_for_people_and_for_programs() -> None:
    told: list[str] = []
    measured = measure(BacktestSettings(seed=4, seconds=180.0), 2, told.append)
    assert len(told) == 2
    assert list(measured.facts) == [(4, "ACME"), (5, "ACME")]
    assert "2 markets" in measured.lines()[-1]
    content = measured.as_json()
    assert content["facts"]["spread_bps"]["is_in_range"] in (True, False)
    assert content["judged"] == len(JUDGED) == 12


@pytest.mark.parametrize(("seconds", "seeds"), [(100.0, 1), (600.0, 0)])
def test_a_measurement_without_a_market_is_refused(seconds: float, seeds: int) -> None:
    with pytest.raises(ValueError):
        measure(BacktestSettings(seconds=seconds), seeds)
