"""How far parent orders move the price, by their size, and how much of it stays.

A parent is the run of aggressive orders of one account whose client_order_id is `parent-K-N` with
the same K. Its impact is how far the middle went its way, from before its first trade to after its
last.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

AFTERWARDS_S = 120
"""When the rest of an impact is read, after the last trade of the parent."""
_LEAST_IN_BIN = 20
"""Parents of one octave of sizes that make a point of the fit."""
_POWERS = [number / 100 for number in range(5, 201)]
_KEPT_S = 7_200
_PREFIX = "parent-"


class Ended(NamedTuple):
    """One parent order that is done. Impacts in basis points, its own way counted positive."""

    shares: int
    impact_bps: float
    rest_bps: float


@dataclass
class Octave:
    """Sums over the parents of one octave of sizes."""

    parents: int = 0
    sizes: float = 0.0
    """Of log2 of the shares."""
    impacts: float = 0.0
    """Basis points."""
    squares: float = 0.0
    """Of the impacts."""

    @property
    def impact(self) -> float:
        """The mean."""
        return self.impacts / self.parents

    @property
    def shares(self) -> float:
        """The geometric mean of the sizes."""
        return float(2 ** (self.sizes / self.parents))

    @property
    def weight(self) -> float:
        """One over the squared standard error of the mean impact."""
        variance = self.squares / self.parents - self.impact**2
        return self.parents / max(variance, 1e-9)


@dataclass
class ImpactSums:
    """Sums over parents; those of several markets can be added."""

    octaves: dict[int, Octave] = field(default_factory=dict)
    """By the whole part of log2 of the shares."""
    impact_bps: float = 0.0
    rest_bps: float = 0.0
    parents: int = 0

    def add(self, ended: Ended) -> None:
        """One more parent."""
        size = math.log2(max(ended.shares, 1))
        octave = self.octaves.setdefault(int(size), Octave())
        octave.parents += 1
        octave.sizes += size
        octave.impacts += ended.impact_bps
        octave.squares += ended.impact_bps**2
        self.parents += 1
        self.impact_bps += ended.impact_bps
        self.rest_bps += ended.rest_bps

    def merge(self, other: "ImpactSums") -> None:
        """Take over the sums of another market."""
        for number, added in other.octaves.items():
            octave = self.octaves.setdefault(number, Octave())
            octave.parents += added.parents
            octave.sizes += added.sizes
            octave.impacts += added.impacts
            octave.squares += added.squares
        self.parents += other.parents
        self.impact_bps += other.impact_bps
        self.rest_bps += other.rest_bps

    def exponent(self) -> float | None:
        """The power of the size with which the mean impact grows; 0.5 is the square root.

        The best of _POWERS by least squares through the means of the octaves, each weighed by the
        inverse of its squared standard error. None where fewer than three octaves have enough
        parents, or where the impact is not positive.
        """
        points = [each for each in self.octaves.values() if each.parents >= _LEAST_IN_BIN]
        if len(points) < 3 or self.impact_bps <= 0:
            return None
        return min(_POWERS, key=lambda power: _misfit(points, power))

    def kept(self) -> float | None:
        """The part of the mean impact that is left after AFTERWARDS_S; None without an impact."""
        return self.rest_bps / self.impact_bps if self.impact_bps > 0 else None


def _misfit(points: Sequence[Octave], power: float) -> float:
    """What a law of this power leaves unexplained, with the factor that fits best."""
    across = sum(each.weight * each.shares**power * each.impact for each in points)
    factor = across / sum(each.weight * each.shares ** (2 * power) for each in points)
    left = (each.weight * (each.impact - factor * each.shares**power) ** 2 for each in points)
    return float(sum(left))


@dataclass
class _Working:
    name: str
    sign: int
    before: float
    shares: int = 0
    after: float = 0.0
    ended_us: int = 0


class ParentImpact:
    """The parents of one security. Tell it all in the order of time; memory does not grow."""

    def __init__(self) -> None:
        self.sums = ImpactSums()
        self._working: dict[str, _Working] = {}
        """By account."""
        self._done: deque[_Working] = deque()
        self._middles: deque[tuple[int, float]] = deque()
        """The middle each second, over the last two hours."""

    def traded(
        self,
        time_us: int,
        client_id: str,
        order_name: str | None,
        sign: int,
        shares: int,
        before: float,
        after: float,
    ) -> None:
        """An aggressive order traded; the middle before it came, and after."""
        if order_name is None or not order_name.startswith(_PREFIX) or before <= 0:
            return
        name = order_name.rpartition("-")[0]
        parent = self._working.get(client_id)
        if parent is None or parent.name != name:
            if parent is not None:
                self._done.append(parent)
            parent = self._working[client_id] = _Working(name, sign, before)
        # A burst may bring about orders on the other side: they lessen the parent.
        parent.shares += shares if sign == parent.sign else -shares
        parent.after, parent.ended_us = after, time_us

    def second(self, time_us: int, middle: float) -> None:
        """A second has passed; parents whose rest can be read by now are counted."""
        if middle <= 0:
            return
        self._middles.append((time_us, middle))
        while len(self._middles) > _KEPT_S:
            self._middles.popleft()
        while self._done and self._done[0].ended_us + AFTERWARDS_S * 1_000_000 <= time_us:
            self._count(self._done.popleft())

    def _count(self, parent: _Working) -> None:
        due_us = parent.ended_us + AFTERWARDS_S * 1_000_000
        later = next((middle for at_us, middle in self._middles if at_us >= due_us), None)
        if later is None or parent.shares <= 0 or self._middles[0][0] > due_us:
            return
        impact = parent.sign * math.log(parent.after / parent.before) * 10_000
        rest = parent.sign * math.log(later / parent.before) * 10_000
        self.sums.add(Ended(parent.shares, impact, rest))
