"""The facts of one security on series made by hand, and on a real sample."""

import csv
import itertools
import math
from pathlib import Path

import pytest

from venue_simulation.security_facts import SecurityFacts

SECOND = 1_000_000
TICK = 100


def _path(middles: list[float]) -> dict[str, float]:
    """The facts of a middle that takes these values, dollars, one a second, spread 2 ticks."""
    facts = SecurityFacts(0, TICK)
    for second, middle in enumerate(middles):
        price_e4 = round(middle * 10_000)
        facts.top(second * SECOND, price_e4 - TICK, price_e4 + TICK)
    return facts.finish((len(middles) - 1) * SECOND)


def test_the_spread_is_weighted_by_the_time_that_it_lasts() -> None:
    facts = SecurityFacts(0, TICK)
    facts.top(0, 999_900, 1_000_100)
    facts.top(3 * SECOND, 999_500, 1_000_500)
    found = facts.finish(4 * SECOND)
    assert found["spread_ticks_median"] == 2
    assert found["spread_ticks_mean"] == pytest.approx((3 * 2 + 10) / 4, rel=1e-5)
    assert found["spread_bps"] == pytest.approx((3 * 2 + 10) / 4, rel=1e-5)


def test_time_with_an_empty_side_is_not_two_sided_and_keeps_the_middle() -> None:
    facts = SecurityFacts(0, TICK)
    facts.top(0, 999_900, 1_000_100)
    facts.top(6 * SECOND, 999_900, None)
    facts.top(8 * SECOND, 999_900, 1_000_100)
    found = facts.finish(10 * SECOND)
    assert found["two_sided_percent"] == pytest.approx(80, rel=1e-5)
    assert found["unchanged_1s_percent"] == 100
    assert found["spread_ticks_mean"] == pytest.approx(2)


def test_returns_are_sampled_on_the_grid_of_seconds() -> None:
    facts = SecurityFacts(0, TICK)
    facts.top(0, 999_900, 1_000_100)
    facts.top(300_000, 1_999_900, 2_000_100)
    facts.top(400_000, 1_009_900, 1_010_100)
    found = facts.finish(2 * SECOND)
    step_bps = math.log(1.01) * 10_000
    assert found["return_deviation_1s_bps"] == pytest.approx(step_bps / 2)
    assert found["largest_move_1s_percent"] == pytest.approx(step_bps / 100)
    assert found["range_percent"] == pytest.approx(100)
    assert found["unchanged_1s_percent"] == 50


def test_a_bounce_is_seen_at_one_second_and_gone_at_ten() -> None:
    found = _path([100 + 0.01 * (second % 2) for second in range(601)])
    assert found["return_autocorrelation_1s"] == pytest.approx(-1, abs=0.01)
    assert found["return_deviation_10s_bps"] == pytest.approx(0, abs=1e-9)
    assert found["return_kurtosis_1s"] == pytest.approx(-2, abs=0.01)


def test_bursts_of_moves_make_absolute_returns_alike() -> None:
    def step(ten_seconds: int) -> float:
        return (0.05 if ten_seconds % 40 < 20 else 0.01) * (-1) ** ten_seconds

    middles = [100 + step(second // 10) for second in range(8_001)]
    found = _path(middles)
    assert found["absolute_autocorrelation_10s_1"] > 0.8
    assert found["absolute_autocorrelation_10s_5"] > 0.4


def test_one_large_move_among_small_ones_has_fat_tails() -> None:
    found = _path([100.0 + 0.01 * (second % 2) + (second > 500) for second in range(1_001)])
    assert found["return_kurtosis_1s"] > 500
    assert found["range_percent"] == pytest.approx(1.01, abs=0.001)


def test_orders_are_counted_by_size_side_and_fate() -> None:
    facts = SecurityFacts(0, TICK)
    for sign, shares in ((1, 100), (1, 40), (-1, 100), (-1, 300)):
        facts.aggressive(sign, shares)
    for shares in (100, 100, 7, 900):
        facts.rested(shares)
    for _ in range(3):
        facts.deleted_unfilled()
    found = facts.finish(SECOND)
    assert found["taker_size_median"] == 100
    assert found["taker_size_mean"] == 135
    assert found["taker_size_100_percent"] == 50
    assert found["sign_autocorrelation_1"] == pytest.approx(0.25)
    assert found["deleted_unfilled_percent"] == 75
    assert found["limit_size_100_percent"] == 50


def test_nothing_before_the_beginning_counts() -> None:
    facts = SecurityFacts(10 * SECOND, TICK)
    facts.top(0, 499_900, 500_100)
    facts.top(9 * SECOND, 999_900, 1_000_100)
    found = facts.finish(20 * SECOND)
    assert found["two_sided_percent"] == pytest.approx(100, rel=1e-5)
    assert found["largest_move_1s_percent"] == 0


def _sample(folder: Path) -> tuple[list[list[str]], list[list[str]]]:
    messages = next(folder.glob("*message*.csv")).open(newline="")
    books = next(folder.glob("*orderbook*.csv")).open(newline="")
    with messages, books:
        return list(csv.reader(messages)), list(csv.reader(books))


def test_a_real_sample_gives_what_the_plain_formulas_give(shared_data: Path) -> None:
    """AAPL, 2012-06-21: spread, middle and aggressive orders, read straight from the file."""
    messages, books = _sample(shared_data / "lobster_aapl_l10_sample")
    times = [round(float(row[0]) * SECOND) for row in messages]
    tops = [(int(row[2]), int(row[0])) for row in books]
    facts = SecurityFacts(times[0], TICK)
    runs: list[list[int]] = []
    last: tuple[str, ...] = ()
    for time_us, message, (bid, ask) in zip(times, messages, tops, strict=True):
        facts.top(time_us, bid, ask)
        if message[1] == "1":
            facts.rested(int(message[3]))
        key = (message[1], message[0], message[5])
        if message[1] == "4":
            if key != last:
                runs.append([-int(message[5]), 0])
            runs[-1][1] += int(message[3])
        last = key
    for sign, shares in runs:
        facts.aggressive(sign, shares)
    found = facts.finish(times[-1])
    lasted = [after - before for before, after in itertools.pairwise(times)]
    spreads = [(ask - bid) / TICK for bid, ask in tops]
    mean = sum(s * t for s, t in zip(spreads, lasted, strict=False)) / sum(lasted)
    grid = range(times[0], times[-1] + 1, SECOND)
    sampled = [max(at for at, time in enumerate(times) if time <= point) for point in grid]
    middles = [math.log(sum(tops[at]) / 2) for at in sampled]
    changes = [(b - a) * 10_000 for a, b in itertools.pairwise(middles)]
    average = sum(changes) / len(changes)
    deviation = math.sqrt(sum((each - average) ** 2 for each in changes) / len(changes))
    assert found["taker_orders"] == len(runs) == 66
    assert found["limit_orders"] == sum(row[1] == "1" for row in messages)
    assert found["spread_ticks_mean"] == pytest.approx(mean, rel=1e-4)
    assert found["return_deviation_1s_bps"] == pytest.approx(deviation, rel=1e-6)
    assert found["two_sided_percent"] == pytest.approx(100, rel=1e-5)
