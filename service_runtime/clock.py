"""Time: the only place that reads a wall clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Microseconds since the Unix epoch."""

    def now_us(self) -> int:
        """The time now."""
        ...


class SystemClock:
    """The machine's clock. It may step back; whoever needs order takes max(last + 1, now)."""

    def now_us(self) -> int:
        """The time now."""
        return time.time_ns() // 1000


class ManualClock:
    """A clock for tests and simulation: it stands still until told."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """The time now."""
        return self._now_us

    def advance(self, by_us: int) -> None:
        """Move on by `by_us` >= 0."""
        self._now_us += by_us
