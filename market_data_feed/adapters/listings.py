"""The listed securities, remembered for a second: a security listed a moment ago is found at
once.
"""

import threading
import time

from service_runtime.database import Database
from venue_protocol.securities import Security

_REMEMBER_S = 1.0
_SHORTEST_PAUSE_S = 0.02
"""Between two readings because of unknown names; whoever asks for one waits for the rest of it."""

_SELECT = """
SELECT security_id, name, shard, tick_e4, lot, band_bps, reference_price_e4, max_quantity
FROM securities ORDER BY security_id COLLATE "C"
"""


class Listings:
    """Securities by id. Asks the database again when a name is not known, but not without pause."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing
        self._lock = threading.Lock()
        self._known: dict[str, Security] = {}
        self._read_at = float("-inf")

    def all(self) -> list[Security]:
        """Every listed security, by name."""
        return list(self._fresh(_REMEMBER_S).values())

    def get(self, security_id: str) -> Security | None:
        """The security, or None if it is not listed."""
        found = self._fresh(_REMEMBER_S).get(security_id)
        if found is None:
            time.sleep(
                min(
                    max(0.0, self._read_at + _SHORTEST_PAUSE_S - time.monotonic()),
                    _SHORTEST_PAUSE_S,
                )
            )
            found = self._fresh(_SHORTEST_PAUSE_S).get(security_id)
        return found

    def _fresh(self, oldest_s: float) -> dict[str, Security]:
        """The securities, read again when what is known is older than `oldest_s`."""
        with self._lock:
            if time.monotonic() - self._read_at >= oldest_s:
                with self._clearing.transaction() as cursor:
                    cursor.execute(_SELECT)
                    self._known = {row[0]: Security(*row) for row in cursor}
                self._read_at = time.monotonic()
            return self._known
