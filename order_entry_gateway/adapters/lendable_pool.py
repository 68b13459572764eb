"""What the lender's pool has, for whoever lacks shares to sell."""

import logging
import threading

from service_runtime.database import Database, DatabaseUnavailable

log = logging.getLogger(__name__)

_EVERY_S = 1.0
_AVAILABLE = """
SELECT security_id, quantity - held FROM securities_deposits WHERE client_id = 'lender'
AND (EXISTS (SELECT 1 FROM margin_rules WHERE is_open)
    OR EXISTS (SELECT 1 FROM short_sellers WHERE is_allowed))
"""


class LendablePool:
    """Read again each second, so that no refusal waits for a statement."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing
        self._available: dict[str, int] = {}

    def available(self, security_id: str) -> int:
        """Shares that can be borrowed, about a second ago; 0 where nobody may borrow."""
        return self._available.get(security_id, 0)

    def follow(self, stopping: threading.Event) -> None:
        """Until stopping, keep up with the pool."""
        while not stopping.wait(_EVERY_S):
            try:
                self.read()
            except DatabaseUnavailable:
                log.debug("the pool is not read: the database is away")

    def read(self) -> None:
        """Read it once."""
        with self._clearing.transaction() as cursor:
            cursor.execute(_AVAILABLE)
            self._available = dict(cursor.fetchall())
