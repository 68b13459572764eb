"""Time: the only place that reads a wall clock."""

import time
from collections.abc import Callable
from typing import Protocol

CLOCK_TOLERANCE_US = 2_000_000
"""Machines that keep their clocks by NTP differ by milliseconds; two seconds are a fault."""


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


def steady_us() -> int:
    """Microseconds that pass evenly, from an arbitrary beginning; also while the machine sleeps,
    where the system can tell (CLOCK_BOOTTIME on Linux).
    """
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


class ConfirmedClock:
    """The machine's clock, as far as two others confirm it.

    Between two comparisons the time goes on evenly, so a step of the machine's clock is never
    seen. It is taken over only when it agrees with a reference (the database's clock) and with the
    time that has passed evenly. While it does not, `trouble` says why, and the time goes on from
    what was confirmed last.

    Example: confirmed at 10:00:00. The machine's clock jumps to the next day, and five seconds
    later a comparison is due: the time is 10:00:05, and `trouble` is "… differ by 86400 s".
    """

    def __init__(
        self,
        wall: Clock,
        steady: Callable[[], int] = steady_us,
        tolerance_us: int = CLOCK_TOLERANCE_US,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._tolerance_us = tolerance_us
        self._offset_us = wall.now_us() - steady()
        self._was_confirmed = False
        self.trouble: str | None = "not compared with the database's clock yet"
        """Why the time is not confirmed; None while it is."""

    def now_us(self) -> int:
        """The confirmed time, gone on evenly since."""
        return self._steady() + self._offset_us

    def is_confirmed(self) -> bool:
        """Whether all three clocks agreed when they were compared last."""
        return self.trouble is None

    def compare(self, read_reference: Callable[[], int]) -> None:
        """Read the reference, and take the machine's clock over if all three agree.

        What reading takes widens the tolerance. The first comparison has no time before it.
        """
        before_us = self._steady()
        reference_us = read_reference()
        after_us = self._steady()
        took_us = after_us - before_us
        wall_us, now_us = self._wall.now_us(), after_us + self._offset_us
        allowed_us = self._tolerance_us + took_us
        if abs(wall_us - reference_us) > allowed_us:
            differ_s = (wall_us - reference_us) / 1e6
            self.trouble = (
                f"the clocks of this machine and of the database differ by {differ_s:+.0f} s"
            )
        elif self._was_confirmed and abs(wall_us - now_us) > allowed_us:
            jumped_s = (wall_us - now_us) / 1e6
            self.trouble = (
                f"the clocks of this machine and of the database jumped by {jumped_s:+.0f} s; "
                "restart this service if the new time is right"
            )
        else:
            self._offset_us = wall_us - after_us
            self._was_confirmed = True
            self.trouble = None


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
