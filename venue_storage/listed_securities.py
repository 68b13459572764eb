"""The listed securities as this gateway knows them: read when an unknown one is named, and every
few seconds.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping

from service_runtime.database import Database, DatabaseUnavailable
from venue_protocol.securities import Security

log = logging.getLogger(__name__)

_FRESH_S = 5.0


class SecurityMaster(Mapping[str, Security]):
    """A mapping of security_id to Security that follows the database."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing
        self._securities: dict[str, Security] = {}
        self._read_at_s = float("-inf")
        self._lock = threading.Lock()

    def __getitem__(self, security_id: str) -> Security:
        if security_id not in self._securities or not self._is_fresh():
            self._read()
        return self._securities[security_id]

    def is_at_hand(self, security_id: str) -> bool:
        """Whether looking it up needs no statement."""
        return security_id in self._securities and self._is_fresh()

    def follow(self, stopping: threading.Event) -> None:
        """Until stopping, read them before they are stale, so that hardly any look-up waits."""
        while not stopping.wait(_FRESH_S / 2):
            try:
                self._read()
            except DatabaseUnavailable:
                log.debug("securities not read: the database is away")

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Security]:
        """All of them: also who names none (cancel all) must not see those of a while ago, or none
        after a start.
        """
        if not self._is_fresh():
            self._read()
        return self._securities

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at_s <= _FRESH_S

    def _read(self) -> None:
        with self._lock:
            with self._clearing.transaction() as cursor:
                cursor.execute(
                    "SELECT security_id, name, shard, tick_e4, lot, band_bps, reference_price_e4, "
                    "max_quantity"
                    " FROM securities"
                )
                self._securities = {row[0]: Security(*row) for row in cursor}
            self._read_at_s = time.monotonic()
