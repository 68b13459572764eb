"""Simulated time: what happens next, in an order that depends on nothing but the plan."""

import heapq
from collections.abc import Callable

from service_runtime.clock import ManualClock

SECOND_US = 1_000_000
VENUE, ARRIVAL, BOT, SAMPLE = range(4)
"""What comes first in one microsecond."""
NOBODY = -1
"""In place of a bot's number."""

Action = Callable[[], None]


class Timeline:
    """A heap of actions by time, rank, number of the bot, and the order in which they were
    planned.

    Numbers of bots break ties between bots, so a bot that does nothing changes no order of the
    others.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.now_us = clock.now_us()
        self._clock = clock
        self._heap: list[tuple[int, int, int, int, Action]] = []
        self._count = 0

    def at(self, time_us: int, rank: int, number: int, action: Action) -> None:
        """Plan an action."""
        self._count += 1
        heapq.heappush(self._heap, (time_us, rank, number, self._count, action))

    def is_next(self, rank: int) -> bool:
        """Whether another action of this rank comes next, in this microsecond."""
        heap = self._heap
        return bool(heap) and heap[0][0] == self.now_us and heap[0][1] == rank

    def run_until(self, until_us: int) -> None:
        """Do all that happens up to `until_us`; it is that time then."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until_us:
            time_us, _, _, _, action = pop(heap)
            if time_us > self.now_us:
                self._move(time_us)
            action()
        if until_us > self.now_us:
            self._move(until_us)

    def _move(self, time_us: int) -> None:
        self._clock.advance(time_us - self.now_us)
        self.now_us = time_us
