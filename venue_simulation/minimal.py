"""From a failing schedule to a smaller one that fails too: fewer steps, fewer kinds of faults."""

from dataclasses import replace

from venue_simulation.plan import Failure, Plan
from venue_simulation.processes import RealParts
from venue_simulation.schedule import run

_FEWEST_STEPS = 5


def minimise(failure: Failure, parts: type[RealParts] = RealParts) -> Failure:
    """The smallest failure found from this one.

    Every plan tried is from the same seed, so each reproduces itself.
    """
    smallest = _try(replace(failure.plan, steps=failure.steps), parts) or failure
    for kind in sorted(failure.plan.kinds):
        without = replace(smallest.plan, kinds=smallest.plan.kinds - {kind})
        smallest = _try(without, parts) or smallest
    return _fewer_steps(smallest, parts)


def _fewer_steps(smallest: Failure, parts: type[RealParts]) -> Failure:
    """Halve the distance to the fewest steps that still fail; the calm after them is part of the
    run.
    """
    passing = _FEWEST_STEPS
    while smallest.plan.steps - passing > 1:
        steps = (smallest.plan.steps + passing) // 2
        found = _try(replace(smallest.plan, steps=steps), parts)
        if found is None:
            passing = steps
        else:
            smallest = found
    return smallest


def _try(plan: Plan, parts: type[RealParts]) -> Failure | None:
    try:
        run(plan, parts)
    except Failure as failure:
        return failure
    return None
