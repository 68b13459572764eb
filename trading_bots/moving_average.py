"""Exponential moving averages of several securities, in the time of the venue."""

from math import exp


class MovingAverage:
    """Each value's weight falls by e in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, tuple[int, float]] = {}

    def add(self, name: str, now_us: int, value: float) -> float:
        """The average with this value; the value itself at the first."""
        before_us, average = self._known.get(name, (now_us, value))
        weight = 1 - exp(-(now_us - before_us) / 1_000_000 / self._seconds)
        average += weight * (value - average)
        self._known[name] = (now_us, average)
        return average
