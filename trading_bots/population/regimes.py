"""Volume regimes: a factor on the rate of a security's takers, the same for all of them.

Like the value it is a function of seed, security and time, which every process computes by itself.
"""

from bisect import bisect_right
from functools import lru_cache

from trading_bots.dice import dice
from trading_bots.population.parameters import RegimeParameters


class VolumeRegimes:
    """Factors with mean 1 that change at random times, from `origin_us` on."""

    def __init__(
        self, seed: int, security: str, origin_us: int, parameters: RegimeParameters
    ) -> None:
        self._random = dice(seed, f"regimes/{security}")
        self._parameters = parameters
        self._origin_us = origin_us
        self._starts_s: list[float] = [0.0]
        self._factors: list[float] = [self._factor()]
        self._known_until_s = self._length_s()

    def factor(self, time_us: int) -> float:
        """The factor at a time; before `origin_us` that of `origin_us`."""
        return self._factors[self._place((time_us - self._origin_us) / 1e6)]

    def wait_s(self, time_us: int, amount: float) -> float:
        """Seconds from `time_us` until the factor, summed over time, has reached `amount`.

        An amount drawn from an exponential distribution with mean 1 / rate gives the next arrival
        of a Poisson process with this rate times the factor.
        """
        now_s = begin_s = max((time_us - self._origin_us) / 1e6, 0.0)
        while True:
            place = self._place(now_s)
            factor = self._factors[place]
            is_newest = place + 1 == len(self._starts_s)
            end_s = self._known_until_s if is_newest else self._starts_s[place + 1]
            if (end_s - now_s) * factor >= amount:
                return now_s + amount / factor - begin_s
            amount -= (end_s - now_s) * factor
            now_s = end_s

    def _place(self, time_s: float) -> int:
        while time_s >= self._known_until_s:
            self._starts_s.append(self._known_until_s)
            self._factors.append(self._factor())
            self._known_until_s += self._length_s()
        return max(bisect_right(self._starts_s, time_s) - 1, 0)

    def _factor(self) -> float:
        sigma = self._parameters.sigma
        return self._random.lognormvariate(-sigma * sigma / 2, sigma)

    def _length_s(self) -> float:
        return self._random.expovariate(1 / self._parameters.mean_length_s)


@lru_cache(maxsize=64)
def volume_regimes(
    seed: int, security: str, origin_us: int, parameters: RegimeParameters
) -> VolumeRegimes:
    """The regimes of a security, shared by the bots of a process."""
    return VolumeRegimes(seed, security, origin_us, parameters)
