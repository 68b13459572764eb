"""Statistics of long series in one pass, with memory that does not grow with the series."""

from bisect import bisect_left
from collections import deque


class Moments:
    """Mean, standard deviation and excess kurtosis (population moments) of what was added."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = self._m2 = self._m3 = self._m4 = 0.0

    def add(self, value: float) -> None:
        """One more value. Updating formulas: Pebay, Sandia report SAND2008-6212."""
        before = self.count
        self.count += 1
        count = self.count
        delta = value - self._mean
        step = delta / count
        square = step * step
        term = delta * step * before
        self._mean += step
        self._m4 += (
            term * square * (count * count - 3 * count + 3)
            + 6 * square * self._m2
            - 4 * step * self._m3
        )
        self._m3 += term * step * (count - 2) - 3 * step * self._m2
        self._m2 += term

    @property
    def mean(self) -> float:
        """The mean; 0 of nothing."""
        return self._mean

    @property
    def deviation(self) -> float:
        """The standard deviation; 0 of fewer than two values."""
        return float((self._m2 / self.count) ** 0.5) if self.count else 0.0

    @property
    def excess_kurtosis(self) -> float:
        """Fourth moment over the squared second, minus 3; 0 where nothing varies."""
        return self.count * self._m4 / self._m2**2 - 3 if self._m2 > 0 else 0.0


class Autocorrelation:
    """The plain biased estimator at one lag: sum (x[t]-m)(x[t-lag]-m) over sum (x[t]-m)^2."""

    def __init__(self, lag: int) -> None:
        self._lag = lag
        self._count = 0
        self._sum = self._squares = self._products = 0.0
        self._head: list[float] = []
        self._tail: deque[float] = deque(maxlen=lag)

    def add(self, value: float) -> None:
        """The next value of the series."""
        if len(self._tail) == self._lag:
            self._products += value * self._tail[0]
        if len(self._head) < self._lag:
            self._head.append(value)
        self._tail.append(value)
        self._count += 1
        self._sum += value
        self._squares += value * value

    @property
    def value(self) -> float:
        """From -1 to 1; 0 of a series that is too short or does not vary."""
        if self._count <= self._lag:
            return 0.0
        mean = self._sum / self._count
        variance = self._squares - self._count * mean * mean
        later, earlier = self._sum - sum(self._head), self._sum - sum(self._tail)
        pairs = self._count - self._lag
        covariance = self._products - mean * (later + earlier) + pairs * mean * mean
        return covariance / variance if variance > 1e-12 * max(self._squares, 1e-12) else 0.0


class WeightedHistogram:
    """Weights of whole numbers: mean and median. Numbers above `most` count as `most`."""

    def __init__(self, most: int = 10_000) -> None:
        self._weights: dict[int, float] = {}
        self._most = most

    def add(self, number: int, weight: float = 1.0) -> None:
        """So much more weight on a number."""
        place = min(number, self._most)
        self._weights[place] = self._weights.get(place, 0.0) + weight

    @property
    def total(self) -> float:
        """All weight."""
        return sum(self._weights.values())

    @property
    def mean(self) -> float:
        """The weighted mean; 0 of nothing."""
        total = self.total
        return sum(each * weight for each, weight in self._weights.items()) / total if total else 0

    @property
    def median(self) -> int:
        """The number that half of the weight is at or below; 0 of nothing."""
        return self.quantile(0.5)

    def quantile(self, part: float) -> int:
        """The least number that this part of the weight is at or below."""
        numbers = sorted(self._weights)
        reached, sums = 0.0, []
        for number in numbers:
            reached += self._weights[number]
            sums.append(reached)
        return numbers[bisect_left(sums, part * reached)] if numbers else 0

    def share(self, number: int) -> float:
        """The part of the weight on one number."""
        total = self.total
        return self._weights.get(number, 0.0) / total if total else 0.0

    def share_below(self, number: int) -> float:
        """The part of the weight below a number."""
        below = sum(weight for each, weight in self._weights.items() if each < number)
        total = self.total
        return below / total if total else 0.0
