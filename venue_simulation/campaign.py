"""Many schedules, one seed after the other, until the time or the number is used up, or one
fails.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from venue_simulation import minimal, schedule
from venue_simulation.faults import KINDS
from venue_simulation.plan import Failure, Outcome, Plan
from venue_simulation.processes import RealParts

_REPORT_EVERY_S = 5.0


@dataclass
class Result:
    """What a campaign did."""

    schedules: int = 0
    seconds: float = 0.0
    commands: int = 0
    trades: int = 0
    commits: int = 0
    messages: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failure: Failure | None = None
    smallest: Failure | None = None

    @property
    def schedules_a_minute(self) -> float:
        """Speed."""
        return 60 * self.schedules / self.seconds if self.seconds else 0.0


def run(
    first: Plan,
    schedules: int | None,
    seconds: float | None,
    report: Callable[[str], None],
    parts: type[RealParts] = RealParts,
) -> Result:
    """Play schedules with the seeds from `first.seed` on, until either limit or a failure."""
    result = Result()
    started_s = time.monotonic()
    report_at_s = started_s + _REPORT_EVERY_S
    with _without_logs():
        while schedules is None or result.schedules < schedules:
            if seconds is not None and result.seconds >= seconds:
                break
            try:
                outcome = schedule.run(replace(first, seed=first.seed + result.schedules), parts)
            except Failure as failure:
                result.failure = failure
                report(f"seed {failure.plan.seed} fails, looking for a smaller schedule …")
                result.smallest = minimal.minimise(failure, parts)
                break
            _add(result, outcome)
            result.seconds = time.monotonic() - started_s
            if time.monotonic() >= report_at_s:
                report_at_s = time.monotonic() + _REPORT_EVERY_S
                report(f"{result.schedules:,} schedules, {result.schedules_a_minute:,.0f} a minute")
    return result


def describe(result: Result) -> str:
    """The result in words, with the trace of a failure."""
    lines = [
        f"{result.schedules:,} schedules in {result.seconds:.1f} s: "
        f"{result.schedules_a_minute:,.0f} a minute",
        f"{result.commands:,} commands, {result.trades:,} trades, {result.commits:,} commits, "
        "each checked;"
        f" {result.messages:,} messages",
        "faults:",
        *(
            f"  {count:>9,}  {kind}"
            for kind, count in sorted(result.faults.items(), key=lambda item: -item[1])
        ),
    ]
    if result.failure is None or result.smallest is None:
        return "\n".join([*lines, "every promise was kept"])
    plan = result.smallest.plan
    without = "".join(f' --without "{kind}"' for kind in KINDS if kind not in plan.kinds)
    return "\n".join(
        [
            *lines,
            f"seed {result.failure.plan.seed} breaks a promise: {result.failure}",
            f"again: ./venue simulate --seed {result.failure.plan.seed} --schedules 1",
            f"smaller: ./venue simulate --seed {plan.seed} --schedules 1 --steps "
            f"{plan.steps}{without}",
            *result.smallest.trace,
            f"     {result.smallest}",
        ]
    )


def _add(result: Result, outcome: Outcome) -> None:
    result.schedules += 1
    result.commands += outcome.commands
    result.trades += outcome.trades
    result.commits += outcome.commits
    result.messages += outcome.messages
    result.faults += outcome.faults


@contextmanager
def _without_logs() -> Iterator[None]:
    """The services say what they notice, thousands of times; here the oracle speaks."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
