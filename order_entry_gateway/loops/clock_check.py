"""Compares the gateway's clock with the database's, once a second.

The time of the log is drawn from this clock and never goes back. One gateway whose clock is a day
ahead would put the log a day ahead for all: orders would expire at once, timed phases last a day.
"""

import logging
import threading

from order_entry_gateway import metrics
from order_entry_gateway.ports import ReferenceTime
from service_runtime.clock import CLOCK_TOLERANCE_US, ConfirmedClock
from service_runtime.database import CommitUnknown, DatabaseUnavailable

log = logging.getLogger(__name__)

_EVERY_S = 1.0


class ClockCheck:
    """One thread; readiness and order entry ask the clock itself."""

    def __init__(
        self, clock: ConfirmedClock, reference: ReferenceTime, stopping: threading.Event
    ) -> None:
        self._clock = clock
        self._reference = reference
        self._stopping = stopping
        self._told: tuple[str | None, bool] = (None, False)

    def run(self) -> None:
        """Compare until stopping. Without a database the last result stands."""
        while True:
            try:
                self.step()
            except (DatabaseUnavailable, CommitUnknown) as error:
                log.debug("clocks not compared", extra={"error": str(error)})
            if self._stopping.wait(_EVERY_S):
                return

    def step(self) -> None:
        """Compare once, and tell when something has changed."""
        self._clock.compare(self._reference.database_us)
        ahead_us = self._reference.newest_log_us() - self._clock.now_us()
        metrics.clock_trouble.set(0 if self._clock.is_confirmed() else 1)
        metrics.log_ahead_seconds.set(max(0.0, ahead_us / 1e6))
        self._tell(self._clock.trouble, ahead_us)

    def _tell(self, trouble: str | None, ahead_us: int) -> None:
        is_log_ahead = ahead_us > CLOCK_TOLERANCE_US
        if (trouble, is_log_ahead) == self._told:
            return
        self._told = trouble, is_log_ahead
        if trouble is not None:
            log.error("the clock is not confirmed, no order is taken", extra={"error": trouble})
        elif is_log_ahead:
            log.error(
                "the time of the log is ahead of the clock: orders expire early until then",
                extra={"seconds": ahead_us // 1_000_000},
            )
        else:
            log.info("the clock is confirmed")
