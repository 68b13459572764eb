"""When a strategy wants to be called: at its interval, and at the wake-ups it asked for."""

import heapq
import itertools
import time
from collections.abc import Callable
from random import Random

MOST_BEHIND_S = 1.0
"""Calls of the interval that are later than this are left out, so that a bot does not flood a
venue that is back.
"""


class Timers:
    """Names of what is due, by a clock that never jumps."""

    def __init__(
        self,
        interval_s: float | None,
        random: Random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._interval_s = interval_s
        self._numbers = itertools.count()
        self._wake_ups: list[tuple[float, int, str]] = []
        self._next_call = (
            float("inf") if interval_s is None else monotonic() + random.uniform(0, interval_s)
        )

    def wake_up(self, after_s: float, name: str) -> None:
        """Ask for a call after some seconds; at once for 0 or less."""
        at = self._monotonic() + max(after_s, 0.0)
        heapq.heappush(self._wake_ups, (at, next(self._numbers), name))

    def left_s(self) -> float:
        """Seconds until something is due; 0 if it is already."""
        first = self._wake_ups[0][0] if self._wake_ups else float("inf")
        return max(min(first, self._next_call) - self._monotonic(), 0.0)

    def pop_due(self) -> str | None:
        """The name of what is due now, the earliest first; None if nothing is."""
        now = self._monotonic()
        is_wake_up = bool(self._wake_ups) and self._wake_ups[0][0] <= self._next_call
        if is_wake_up and self._wake_ups[0][0] <= now:
            return heapq.heappop(self._wake_ups)[2]
        if self._interval_s is None or self._next_call > now:
            return None
        self._next_call = max(self._next_call + self._interval_s, now - MOST_BEHIND_S)
        return ""
