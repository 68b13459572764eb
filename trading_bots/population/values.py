"""Fundamental values: what each security is worth, as a function of seed, security and time.

Every process that knows the seed and the origin computes the same path by itself; nobody sends it.
"""

import csv
import math
from array import array
from functools import lru_cache
from pathlib import Path
from random import Random

from trading_bots.dice import dice
from trading_bots.population.parameters import ValueParameters

STEP_US = 1_000_000
"""The grid of the paths: one step a second. Between two steps a value stays."""


class Stress:
    """The stress of the whole market: about 1, and it returns there.

    Its logarithm is an Ornstein-Uhlenbeck process, stepped by its exact solution, that begins at
    its mean; the mean is such that the stress itself is 1 on average.
    """

    def __init__(self, seed: int, origin_us: int, parameters: ValueParameters) -> None:
        self._random = dice(seed, "values/stress")
        self._origin_us = origin_us
        sigma = parameters.stress_sigma
        self._mean = -sigma * sigma / 2
        self._keep = 0.5 ** (1 / parameters.stress_half_life_s)
        self._step = sigma * math.sqrt(1 - self._keep * self._keep)
        self._path = array("d", [self._mean])

    def level(self, time_us: int) -> float:
        """The stress at a time; before `origin_us` that of `origin_us`."""
        return math.exp(self._path[self._reach((time_us - self._origin_us) // STEP_US)])

    def _reach(self, step: int) -> int:
        path, mean = self._path, self._mean
        while len(path) <= step:
            shock = self._step * self._random.gauss(0, 1)
            path.append(mean + self._keep * (path[-1] - mean) + shock)
        return max(step, 0)


class _Normals:
    """Standard normal numbers by their place, drawn once: the market factor."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._drawn = array("d")

    def at(self, place: int) -> float:
        while len(self._drawn) <= place:
            self._drawn.append(self._random.gauss(0, 1))
        return self._drawn[place]


class FundamentalValue:
    """The value of one security: geometric Brownian motion in seconds, with a market factor.

    `price` is its value at `origin_us`, dollars. A step has no drift in the logarithm.
    """

    def __init__(
        self,
        seed: int,
        security: str,
        price: float,
        origin_us: int,
        parameters: ValueParameters,
        volatility: float = 1.0,
    ) -> None:
        self._random = dice(seed, f"values/{security}")
        self._jumps = dice(seed, f"jumps/{security}")
        self._market = market_factor(seed)
        self._stress = market_stress(seed, origin_us, parameters)
        self._parameters = parameters
        self._origin_us = origin_us
        deviation = parameters.deviation_bps / 10_000 * volatility
        self._common = deviation * math.sqrt(parameters.market_share)
        self._own = deviation * math.sqrt(1 - parameters.market_share)
        self._path = array("d", [math.log(price)])

    def at(self, time_us: int) -> float:
        """The value in dollars at a time; before `origin_us` that of `origin_us`."""
        step = (time_us - self._origin_us) // STEP_US
        while len(self._path) <= step:
            self._path.append(self._path[-1] + self._change(len(self._path) - 1))
        return math.exp(self._path[max(step, 0)])

    def _change(self, step: int) -> float:
        level = self._stress.level(self._origin_us + step * STEP_US)
        common = self._common * self._market.at(step)
        own = self._own * self._random.gauss(0, 1)
        return level * (common + own) + self._jump()

    def _jump(self) -> float:
        chance = self._parameters.jumps_per_hour / 3600
        if chance and self._jumps.random() < chance:
            return self._jumps.gauss(0, self._parameters.jump_bps / 10_000)
        return 0.0


class DailyPrices:
    """A value that follows real daily closing prices, one day in `day_s` seconds.

    Between two closes it moves in a straight line of its logarithm. `price` is its value at
    `origin_us`: all closes are scaled to it. After the last close it stays.
    """

    def __init__(
        self, path: str | Path, price: float, origin_us: int, day_s: float = 23_400.0
    ) -> None:
        """Read a CSV with a column `Adj Close` or `Close`. ValueError without two prices."""
        closes = _closes(Path(path))
        self._logs = [math.log(price * close / closes[0]) for close in closes]
        self._origin_us, self._day_us = origin_us, day_s * 1_000_000

    def at(self, time_us: int) -> float:
        """The value in dollars at a time; before `origin_us` the first one."""
        days = max(time_us - self._origin_us, 0) / self._day_us
        place = min(int(days), len(self._logs) - 2)
        part = min(days - place, 1.0)
        return math.exp(self._logs[place] * (1 - part) + self._logs[place + 1] * part)


def _closes(path: Path) -> list[float]:
    with path.open(newline="") as lines:
        closes = [float(row.get("Adj Close") or row["Close"]) for row in csv.DictReader(lines)]
    if len(closes) < 2 or min(closes) <= 0:
        raise ValueError(f"{path} needs two or more closing prices above 0")
    return closes


@lru_cache(maxsize=64)
def market_factor(seed: int) -> _Normals:
    """What moves all securities of a seed at once, one number a step."""
    return _Normals(dice(seed, "values/market"))


@lru_cache(maxsize=64)
def market_stress(seed: int, origin_us: int, parameters: ValueParameters) -> Stress:
    """The stress of a market, shared by the bots of a process."""
    return Stress(seed, origin_us, parameters)


@lru_cache(maxsize=64)
def fundamental_value(
    seed: int,
    security: str,
    price: float,
    origin_us: int,
    parameters: ValueParameters,
    volatility: float,
) -> FundamentalValue:
    """The value of a security, shared by the bots of a process."""
    return FundamentalValue(seed, security, price, origin_us, parameters, volatility)


@lru_cache(maxsize=64)
def daily_prices(path: str, price: float, origin_us: int, day_s: float) -> DailyPrices:
    """A recorded value, read once for the bots of a process."""
    return DailyPrices(path, price, origin_us, day_s)
