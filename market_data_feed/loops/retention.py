"""Forgets refused orders that are too old or too many: the only rows of the record that nothing
else depends on.

In small transactions with a connection of its own, so that the recorder is never held up.
"""

import logging
import threading

from market_data_feed.adapters import refusal_retention
from service_runtime.clock import Clock
from service_runtime.database import Database, DatabaseUnavailable

log = logging.getLogger(__name__)

_EVERY_S = 60.0
_PAUSE_S = 0.05
_MOST_AT_ONCE = 2_000
_DAY_US = 86_400_000_000
_END_US = 2**62


class Retention:
    """One thread: look once a minute, delete in batches, rest between them."""

    def __init__(
        self, database: Database, clock: Clock, stopping: threading.Event, days: int, most: int
    ) -> None:
        """`days` and `most` rows are kept; 0 is no limit."""
        self._database = database
        self._clock = clock
        self._stopping = stopping
        self._days = days
        self._most = most

    def run(self, every_s: float = _EVERY_S) -> None:
        """Forget until `stopping`. A database that is away is asked again the next time."""
        while True:
            try:
                self.sweep()
            except DatabaseUnavailable as error:
                log.warning(
                    "refused orders not forgotten, will try again", extra={"error": str(error)}
                )
            if self._stopping.wait(every_s):
                return

    def sweep(self) -> int:
        """Forget what is too old or too much now; how many. Raises DatabaseUnavailable."""
        forgotten = (
            self._forget(self._clock.now_us() - self._days * _DAY_US, _END_US) if self._days else 0
        )
        if self._most:
            with self._database.transaction() as cursor:
                # The estimate may still count what was forgotten just now.
                too_many = refusal_retention.about_how_many(cursor) - forgotten - self._most
            forgotten += self._forget(_END_US, too_many)
        if forgotten:
            log.info("refused orders forgotten", extra={"rows": forgotten})
        return forgotten

    def _forget(self, before_us: int, most: int) -> int:
        """Delete up to `most` from before `before_us`, oldest first; how many."""
        forgotten = from_us = 0
        while forgotten < most and not self._stopping.is_set():
            at_once = min(_MOST_AT_ONCE, most - forgotten)
            with self._database.transaction() as cursor:
                times_us = refusal_retention.delete_oldest(cursor, from_us, before_us, at_once)
            if not times_us:
                break
            forgotten += len(times_us)
            from_us = max(times_us)
            self._stopping.wait(_PAUSE_S)
        return forgotten
