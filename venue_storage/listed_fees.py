"""The fee schedule as this process knows it, read from the database again and again.

A new schedule is known here a second later, and never later than FRESH_S: who asks for it then
reads it himself, or can't go on. So an order carries rates that were in force within that time.
"""

import logging
import threading
import time

from service_runtime.database import Cursor, Database, DatabaseUnavailable
from venue_protocol.fee_schedule import FeeRow, FeeSchedule

log = logging.getLogger(__name__)

FRESH_S = 5.0
"""How long a schedule that was read may be used."""
_FOLLOW_EVERY_S = 1.0
_ROWS = """
SELECT security_id, tier, maker_bps, taker_bps, auction_bps FROM fee_schedule
ORDER BY security_id, tier
"""
_TIERS = "SELECT client_id, tier FROM fee_tiers"


class ListedFees:
    """Call it for the schedule; for any thread."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing
        self._known: tuple[float, FeeSchedule] | None = None
        """When its reading began, and the schedule."""

    def __call__(self) -> FeeSchedule:
        """The schedule as it was FRESH_S ago at most. Raises DatabaseUnavailable."""
        known = self._known
        if known is not None and time.monotonic() - known[0] < FRESH_S:
            return known[1]
        return self._read()

    def follow(self, stopping: threading.Event) -> None:
        """Read the schedule again and again until stopping; the database may be away."""
        while True:
            try:
                self._read()
            except DatabaseUnavailable:
                log.debug("fees not read: the database is away")
            if stopping.wait(_FOLLOW_EVERY_S):
                return

    def _read(self) -> FeeSchedule:
        began_s = time.monotonic()
        with self._clearing.transaction() as cursor:
            rows, tiers = read_fees(cursor)
        known = self._known
        if known is not None and known[1].rows == rows and known[1].tiers == tiers:
            schedule = known[1]
        else:
            schedule = FeeSchedule(rows, tiers)
        self._known = (began_s, schedule)
        return schedule


def read_fees(cursor: Cursor) -> tuple[list[FeeRow], dict[str, str]]:
    """The rows of the schedule, and the tier of each client that is not in the standard one."""
    cursor.execute(_ROWS)
    rows = sorted(FeeRow(*row) for row in cursor)
    cursor.execute(_TIERS)
    return rows, dict(cursor.fetchall())
