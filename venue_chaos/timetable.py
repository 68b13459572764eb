"""What goes wrong when: drawn from a seed, before anything has started. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class FaultPlan:
    """How often a kind of fault is drawn, whom it can hit, and how long it lasts."""

    kind: str
    targets: tuple[str, ...]
    weight: float
    shortest_s: float = 0.0
    longest_s: float = 0.0


@dataclass(frozen=True)
class PlannedFault:
    """One fault: begins `at_s` seconds after the start and lasts `seconds` (0: over at once)."""

    at_s: float
    kind: str
    target: str
    seconds: float
    dice: int
    """Seeds whatever the fault itself draws."""


def draw(seed: int, length_s: float, count: int, plans: Sequence[FaultPlan]) -> list[PlannedFault]:
    """`count` faults within `length_s` seconds, earliest first; each kind at least once where
    `count` allows.
    """
    dice = Random(seed)
    kinds = dice.sample(plans, k=min(count, len(plans)))
    kinds += dice.choices(plans, weights=[plan.weight for plan in plans], k=count - len(kinds))
    dice.shuffle(kinds)
    times = sorted(dice.uniform(0, length_s) for _ in range(count))
    return [_planned(dice, at_s, plan) for at_s, plan in zip(times, kinds, strict=True)]


def _planned(dice: Random, at_s: float, plan: FaultPlan) -> PlannedFault:
    seconds = dice.uniform(plan.shortest_s, plan.longest_s)
    return PlannedFault(at_s, plan.kind, dice.choice(plan.targets), seconds, dice.getrandbits(32))
