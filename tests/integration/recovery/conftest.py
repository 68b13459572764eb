"""One private venue for all crash tests of a run, and short campaigns on it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count

import pytest

from venue_chaos.campaign import Campaign, FaultThreads, Outcome, Plan
from venue_chaos.site import Site, open_site
from venue_chaos.timetable import PlannedFault
from venue_launcher.terminal import silent

Run = Callable[[Sequence[PlannedFault], float], Outcome]
_numbers = count(1)


@pytest.fixture(scope="package")
def fault_threads() -> Iterator[FaultThreads]:
    """Threads of the faults. They outlive the site, whose servers some of them start."""
    with ExitStack() as stack:
        fault_threads = FaultThreads()
        stack.callback(fault_threads.release)
        yield fault_threads


@pytest.fixture(scope="package")
def site(fault_threads: FaultThreads) -> Iterator[Site]:
    """A running venue with a Postgres and a RabbitMQ of its own."""
    logger = logging.getLogger("service_runtime")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with open_site(silent) as opened:
            yield opened
            opened.stopping.set()
    finally:
        logger.setLevel(before)


@pytest.fixture
def campaign(site: Site, fault_threads: FaultThreads) -> Callable[..., Campaign]:
    """A new campaign of so many seconds, with clients of its own; its seed can draw so many faults
    of some kinds.
    """

    def make(seconds: float, faults: int = 0, kinds: tuple[str, ...] = ()) -> Campaign:
        plan = Plan(
            seed=next(_numbers),
            seconds=seconds,
            faults=faults,
            traders=4,
            kinds=kinds,
            warm_up_s=0.5,
            name=f"crash{next(_numbers)}",
        )
        return Campaign(site, plan, fault_threads, silent)

    return make


@pytest.fixture
def survive(campaign: Callable[..., Campaign]) -> Run:
    """Trade for so many seconds under these faults; the outcome, without violations."""

    def run(planned: Sequence[PlannedFault], seconds: float) -> Outcome:
        outcome = campaign(seconds).run(planned)
        assert outcome.violations == []
        assert outcome.faults.total() == len(planned)
        return outcome

    return run
