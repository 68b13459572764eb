"""The measured facts beside those of real stocks, and whether they are in range.

The reference is one day, 2012-06-21 from 09:30 to 16:00, of AAPL, AMZN and GOOG on NASDAQ (LOBSTER
samples). One day of one stock is no target: the range of the three, widened, is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from venue_simulation.parent_impact import AFTERWARDS_S, ImpactSums

WIDENING = 1.5
"""Facts that are above 0 in all three stocks: from the lowest of them divided by this to the
highest times this. Facts that are not: the middle of their range, and this times its half width to
both sides.
"""
_Row = tuple[str, str, str, str, str, str]
LEAST_IN_RANGE = 9
MOST_RANGE_PERCENT = 5.0
"""No market may move further in its two hours."""


@dataclass(frozen=True)
class Reference:
    """One fact of the three stocks: AAPL, AMZN, GOOG."""

    fact: str
    title: str
    stocks: tuple[float, float, float]

    @property
    def low(self) -> float:
        """The least value in range."""
        least, most = min(self.stocks), max(self.stocks)
        if least > 0:
            return least / WIDENING
        return (least + most) / 2 - WIDENING * (most - least) / 2

    @property
    def high(self) -> float:
        """The largest value in range."""
        least, most = min(self.stocks), max(self.stocks)
        if least > 0:
            return most * WIDENING
        return (least + most) / 2 + WIDENING * (most - least) / 2

    def is_met(self, value: float) -> bool:
        """Whether a value is in range."""
        return self.low <= value <= self.high


JUDGED = (
    Reference("spread_bps", "spread, bp (weighted by time)", (2.59, 5.76, 4.78)),
    Reference("return_deviation_1s_bps", "deviation of 1 s returns, bp", (0.6, 0.88, 0.7)),
    Reference("return_deviation_10s_bps", "deviation of 10 s returns, bp", (1.96, 2.92, 2.14)),
    Reference("return_deviation_60s_bps", "deviation of 60 s returns, bp", (4.78, 7.27, 4.83)),
    Reference("return_kurtosis_1s", "excess kurtosis of 1 s returns", (28.0, 32.0, 87.4)),
    Reference("return_kurtosis_10s", "excess kurtosis of 10 s returns", (7.0, 5.6, 14.0)),
    Reference("return_kurtosis_60s", "excess kurtosis of 60 s returns", (2.4, 3.4, 2.5)),
    Reference(
        "absolute_autocorrelation_10s_1", "|10 s return|, correlation lag 1", (0.167, 0.147, 0.209)
    ),
    Reference(
        "absolute_autocorrelation_10s_5", "|10 s return|, correlation lag 5", (0.131, 0.091, 0.081)
    ),
    Reference("sign_autocorrelation_1", "taker sign, correlation lag 1", (0.626, 0.621, 0.634)),
    Reference("sign_autocorrelation_10", "taker sign, correlation lag 10", (0.125, 0.079, 0.05)),
    Reference(
        "deleted_unfilled_percent", "limit orders deleted unfilled, %", (39.58, 76.18, 86.78)
    ),
)
"""The twelve facts that are judged."""

SHOWN = (
    Reference("return_autocorrelation_1s", "1 s return, correlation lag 1", (0.017, 0.022, -0.013)),
    Reference(
        "return_autocorrelation_10s", "10 s return, correlation lag 1", (-0.026, 0.054, -0.066)
    ),
    Reference("spread_ticks_median", "spread, ticks (median)", (15.0, 12.0, 25.0)),
    Reference("unchanged_1s_percent", "seconds without a change, %", (50.0, 70.0, 74.0)),
    Reference("limit_size_median", "limit order, shares (median)", (100.0, 100.0, 100.0)),
    Reference("limit_size_100_percent", "limit orders of 100 shares, %", (55.0, 47.8, 48.8)),
    Reference("taker_size_median", "aggressive order, shares (median)", (100.0, 100.0, 91.0)),
    Reference("taker_size_mean", "aggressive order, shares (mean)", (102.5, 93.0, 83.0)),
    Reference("taker_size_100_percent", "aggressive orders of 100 shares, %", (33.2, 33.2, 30.9)),
)
"""Measured and compared as well, without a verdict on the whole."""


@dataclass(frozen=True)
class Verdict:
    """How many of the judged facts are in range, and how far the wildest market went."""

    in_range: int
    judged: int
    largest_range_percent: float

    @property
    def is_passed(self) -> bool:
        """At least LEAST_IN_RANGE facts in range, and no market beyond MOST_RANGE_PERCENT."""
        is_calm = self.largest_range_percent <= MOST_RANGE_PERCENT
        return self.in_range >= LEAST_IN_RANGE and is_calm


def verdict(markets: Sequence[Mapping[str, float]]) -> Verdict:
    """The verdict on the medians over markets (seeds, securities); ValueError without one."""
    if not markets:
        raise ValueError("no market was measured")
    met = [each.is_met(median(facts[each.fact] for facts in markets)) for each in JUDGED]
    return Verdict(sum(met), len(met), max(facts["range_percent"] for facts in markets))


def table(markets: Sequence[Mapping[str, float]], impact: ImpactSums) -> list[str]:
    """The table in words: a line for each fact, medians over the markets, then the verdict."""
    rows = [("fact", "three stocks", "in range", "simulated", "least to most", "")]
    rows += [_row(each, markets) for each in JUDGED]
    rows.append(("also", "", "", "", "", ""))
    rows += [_row(each, markets) for each in SHOWN]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    found = verdict(markets)
    word = "passed" if found.is_passed else "not passed"
    return [
        *lines,
        "",
        *_impact_lines(impact),
        f"both sides of the book there {min(each['two_sided_percent'] for each in markets):.2f} % "
        "of the time at least",
        f"{word}: {found.in_range} of {found.judged} facts in range (at least {LEAST_IN_RANGE}); "
        f"largest range of a market {found.largest_range_percent:.2f} % (at most "
        f"{MOST_RANGE_PERCENT:g} %); {len(markets)} markets",
    ]


def _row(each: Reference, markets: Sequence[Mapping[str, float]]) -> _Row:
    values = [facts[each.fact] for facts in markets]
    middle = median(values)
    return (
        each.title,
        f"{_short(min(each.stocks))} to {_short(max(each.stocks))}",
        f"{_short(each.low)} to {_short(each.high)}",
        _short(middle),
        f"{_short(min(values))} to {_short(max(values))}",
        "yes" if each.is_met(middle) else "no",
    )


def _impact_lines(impact: ImpactSums) -> list[str]:
    exponent, kept = impact.exponent(), impact.kept()
    if exponent is None or kept is None:
        return [f"impact of parent orders: too few to say ({impact.parents})"]
    mean = impact.impact_bps / impact.parents
    return [
        f"impact of {impact.parents:,} parent orders: {mean:.2f} bp on average, grows with the "
        f"size to the power of {exponent:.2f} (square root: 0.5)",
        f"after {AFTERWARDS_S} s {100 * kept:.0f} % of it is left",
    ]


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
