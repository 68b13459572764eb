"""The stylised facts of one security, measured while its market goes on.

The definitions are those of the reference measurement: the middle of bid and ask is sampled on a
grid of seconds, each time the last one at or before it; returns are differences of its logarithm in
basis points; an aggressive order is one incoming order that traded, whatever it met.
"""

import math

from venue_simulation.running_statistics import Autocorrelation, Moments, WeightedHistogram

SECOND_US = 1_000_000
HORIZONS_S = (1, 10, 60)
_ROUND_LOT = 100


class _Returns:
    """The returns of one horizon."""

    def __init__(self, horizon_s: int) -> None:
        self.horizon_s = horizon_s
        self.moments = Moments()
        self.plain = Autocorrelation(1)
        self.absolute = {lag: Autocorrelation(lag) for lag in (1, 5)}
        self._before: float | None = None

    def sample(self, log_middle: float) -> None:
        """The logarithm of the middle at the next point of this horizon's grid."""
        if self._before is not None:
            change = (log_middle - self._before) * 10_000
            self.moments.add(change)
            self.plain.add(change)
            for each in self.absolute.values():
                each.add(abs(change))
        self._before = log_middle


class SecurityFacts:
    """One security from `begin_us` on. Prices and tick in ten-thousandths of a dollar.

    Tell it every change of the top of the book in the order of time; memory does not grow.
    """

    def __init__(self, begin_us: int, tick_e4: int) -> None:
        self._tick_e4 = tick_e4
        self._begin_us = self._now_us = begin_us
        self._next_us = begin_us
        self._samples = 0
        self._middle = self._spread_e4 = 0.0
        self._two_sided_us = 0
        self._low, self._high = math.inf, 0.0
        self._largest_move_bps = 0.0
        self._last_sample: float | None = None
        self._unchanged = 0
        self._returns = {horizon_s: _Returns(horizon_s) for horizon_s in HORIZONS_S}
        self._spread_ticks = WeightedHistogram()
        self._spread_bps_us = 0.0
        self._signs = {lag: Autocorrelation(lag) for lag in (1, 10)}
        self._taken = WeightedHistogram(100_000)
        self._rested = WeightedHistogram(100_000)
        self._deleted = 0

    @property
    def middle_e4(self) -> float:
        """The newest middle; 0 before the first."""
        return self._middle

    def top(self, time_us: int, bid_e4: int | None, ask_e4: int | None) -> None:
        """The top of the book from `time_us` on; None where a side is empty."""
        self._pass(time_us)
        if bid_e4 is None or ask_e4 is None:
            self._spread_e4 = 0.0
            return
        self._middle = (bid_e4 + ask_e4) / 2
        self._spread_e4 = ask_e4 - bid_e4
        if time_us >= self._begin_us:
            self._low, self._high = min(self._low, self._middle), max(self._high, self._middle)

    def aggressive(self, sign: int, shares: int) -> None:
        """An incoming order traded: 1 for a buy, -1 for a sell, and the shares it took."""
        for each in self._signs.values():
            each.add(sign)
        self._taken.add(shares)

    def rested(self, shares: int) -> None:
        """A limit order came to rest."""
        self._rested.add(shares)

    def deleted_unfilled(self) -> None:
        """An order that rested ended without a trade."""
        self._deleted += 1

    def finish(self, time_us: int) -> dict[str, float]:
        """Every fact by its name, up to `time_us`. May be called again later."""
        self._pass(time_us + 1)
        lasted_us = max(self._now_us - self._begin_us, 1)
        two_sided_us = max(self._two_sided_us, 1)
        facts = {
            "spread_ticks_median": float(self._spread_ticks.median),
            "spread_ticks_mean": self._spread_ticks.mean,
            "spread_bps": self._spread_bps_us / two_sided_us,
            "two_sided_percent": 100 * self._two_sided_us / lasted_us,
            "range_percent": 100 * (self._high / self._low - 1) if self._high else 0.0,
            "largest_move_1s_percent": self._largest_move_bps / 100,
            "unchanged_1s_percent": 100 * self._unchanged / max(self._samples - 1, 1),
            "sign_autocorrelation_1": self._signs[1].value,
            "sign_autocorrelation_10": self._signs[10].value,
            "absolute_autocorrelation_10s_1": self._returns[10].absolute[1].value,
            "absolute_autocorrelation_10s_5": self._returns[10].absolute[5].value,
            "deleted_unfilled_percent": 100 * self._deleted / max(self._rested.total, 1),
            "limit_orders": self._rested.total,
            "limit_size_median": float(self._rested.median),
            "limit_size_100_percent": 100 * self._rested.share(_ROUND_LOT),
            "taker_orders": self._taken.total,
            "taker_size_median": float(self._taken.median),
            "taker_size_mean": self._taken.mean,
            "taker_size_100_percent": 100 * self._taken.share(_ROUND_LOT),
        }
        for horizon_s, returns in self._returns.items():
            facts[f"return_deviation_{horizon_s}s_bps"] = returns.moments.deviation
            facts[f"return_kurtosis_{horizon_s}s"] = returns.moments.excess_kurtosis
            facts[f"return_autocorrelation_{horizon_s}s"] = returns.plain.value
        return facts

    def _pass(self, time_us: int) -> None:
        """Time goes on: sample the grid up to before `time_us`, and weigh the spread."""
        elapsed_us = time_us - self._now_us
        if elapsed_us <= 0:
            return
        if self._spread_e4 > 0:
            self._two_sided_us += elapsed_us
            self._spread_ticks.add(round(self._spread_e4 / self._tick_e4), elapsed_us)
            self._spread_bps_us += 10_000 * self._spread_e4 / self._middle * elapsed_us
        self._now_us = time_us
        while self._next_us < time_us:
            if self._middle:
                self._sample(math.log(self._middle))
            self._next_us += SECOND_US

    def _sample(self, log_middle: float) -> None:
        for horizon_s, returns in self._returns.items():
            if self._samples % horizon_s == 0:
                returns.sample(log_middle)
        self._samples += 1
        if self._last_sample is not None:
            change = log_middle - self._last_sample
            self._largest_move_bps = max(self._largest_move_bps, abs(change) * 10_000)
            self._unchanged += change == 0
        self._last_sample = log_middle
