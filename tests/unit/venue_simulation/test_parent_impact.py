"""Impact of parent orders, on parents made by hand."""

import math

import pytest

from venue_simulation.parent_impact import AFTERWARDS_S, Ended, ImpactSums, ParentImpact

SECOND = 1_000_000


def _sums(power: float) -> ImpactSums:
    sums = ImpactSums()
    for octave in range(6, 12):
        for shares in (2**octave, 2**octave + 2 ** (octave - 1)):
            for _ in range(15):
                sums.add(Ended(shares, 0.1 * shares**power, 0.05 * shares**power))
    return sums


@pytest.mark.parametrize("power", [0.5, 1.0, 0.2])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    assert _sums(power).exponent() == pytest.approx(power, abs=0.02)


def test_what_is_left_is_a_part_of_the_impact() -> None:
    assert _sums(0.5).kept() == pytest.approx(0.5)


def test_too_few_parents_say_nothing() -> None:
    sums = ImpactSums()
    sums.add(Ended(100, 1.0, 0.5))
    assert sums.exponent() is None
    assert ImpactSums().kept() is None


def test_sums_of_two_markets_add_up() -> None:
    one, two = _sums(0.5), _sums(0.5)
    one.merge(two)
    assert one.parents == 2 * two.parents
    assert one.exponent() == pytest.approx(two.exponent())


def _played(impact: ParentImpact, until_s: int, middle: float) -> None:
    for second in range(until_s):
        impact.second(second * SECOND, middle)


def test_a_parent_is_measured_from_before_its_first_trade_to_after_its_last() -> None:
    impact = ParentImpact()
    impact.traded(1 * SECOND, "ann", "parent-1-1", -1, 100, before=100.0, after=99.0)
    impact.traded(5 * SECOND, "ann", "parent-1-2", -1, 60, before=99.5, after=98.0)
    impact.traded(9 * SECOND, "ann", "parent-2-1", 1, 10, before=98.0, after=98.0)
    _played(impact, AFTERWARDS_S + 20, 99.0)
    sums = impact.sums
    assert sums.parents == 1
    assert sums.impact_bps == pytest.approx(-math.log(0.98) * 10_000)
    assert sums.rest_bps == pytest.approx(-math.log(0.99) * 10_000)
    assert list(sums.octaves) == [7]
    assert sums.octaves[7].shares == pytest.approx(160)


def test_a_parent_that_still_works_or_whose_rest_is_not_known_does_not_count() -> None:
    impact = ParentImpact()
    impact.traded(1 * SECOND, "ann", "parent-1-1", 1, 100, before=100.0, after=101.0)
    impact.traded(9 * SECOND, "ann", "parent-2-1", 1, 10, before=101.0, after=101.0)
    _played(impact, AFTERWARDS_S, 101.0)
    assert impact.sums.parents == 0


def test_orders_of_others_are_no_parents() -> None:
    impact = ParentImpact()
    for name in ("o-17", None, "parent"):
        impact.traded(SECOND, "bob", name, 1, 100, before=100.0, after=101.0)
        impact.traded(2 * SECOND, "bob", "parent-9-1", 1, 100, before=100.0, after=101.0)
    _played(impact, 2 * AFTERWARDS_S, 101.0)
    assert impact.sums.parents == 0
