"""The listed securities as this process knows them: a plain mapping, read from the database.

Looking a name up in the mapping never asks the database: rules that see it have no input or output.
Who takes a request that names securities calls `look_for` before, once; for one name, `find`.
A service that needs the whole list follows it in a loop, or asks for `all`.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from service_runtime.database import Database, DatabaseUnavailable
from venue_protocol.corporate_actions import CorporateAction, Split
from venue_protocol.identifiers import is_security_id
from venue_protocol.securities import Security

log = logging.getLogger(__name__)

_FOLLOW_EVERY_S = 2.5
"""A security that another gateway knows is known here after so long, also if nobody names it."""
_REMEMBER_S = 1.0
"""For who asks for the whole list."""
_SHORTEST_PAUSE_S = 0.02
"""Between two readings because of unknown names: they cost at most fifty a second, whoever asks."""
_SPLITS = """
SELECT time_us, action FROM corporate_actions WHERE security_id = %s AND step = 'applied'
ORDER BY action_id
"""
_decode_action: "msgspec.json.Decoder[CorporateAction]" = msgspec.json.Decoder(CorporateAction)
_SELECT = """
SELECT security_id, name, shard, tick_e4, lot, band_bps, reference_price_e4, max_quantity,
    action_id, delisted_us, successor
FROM securities ORDER BY security_id COLLATE "C"
"""


class ListedSecurities(Mapping[str, Security]):
    """Security by its id, in alphabetical order; for any thread."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing
        self._known: dict[str, Security] | None = None
        """Replaced as a whole, so that readers need no lock."""
        self._began_s = float("-inf")
        self._lock = threading.Lock()

    def __getitem__(self, security_id: str) -> Security:
        return (self._known or {})[security_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known or {})

    def __len__(self) -> int:
        return len(self._known or {})

    def are_known(self, security_ids: Iterable[str]) -> bool:
        """Whether `look_for` would need no statement."""
        known = self._known
        return known is not None and all(
            name in known or not is_security_id(name) for name in security_ids
        )

    def look_for(self, security_ids: Iterable[str] = ()) -> None:
        """Read the list if one of these is not known, or if it was never read.

        One statement for any number of names, and one for all who wait for the same. Raises
        DatabaseUnavailable.
        """
        names = list(security_ids)
        if self.are_known(names):
            return
        asked_s = time.monotonic()
        with self._lock:
            # What another has read since we asked is as good as what we would read.
            if self._began_s < asked_s or self._known is None:
                time.sleep(min(max(0.0, self._began_s + _SHORTEST_PAUSE_S - asked_s), 1.0))
                self._read()

    def find(self, security_id: str) -> Security | None:
        """The security, also if it was listed a moment ago; None if it is not.

        Raises DatabaseUnavailable where the list must be read.
        """
        self.look_for((security_id,))
        return self.get(security_id)

    def all(self) -> list[Security]:
        """Every listed security, as of a second ago at most. Raises DatabaseUnavailable."""
        with self._lock:
            if time.monotonic() - self._began_s >= _REMEMBER_S:
                self._read()
            return list(self.values())

    def splits(self, security_id: str) -> list[tuple[int, Split]]:
        """Its splits and when they took effect, oldest first. Raises DatabaseUnavailable."""
        with self._clearing.transaction() as cursor:
            cursor.execute(_SPLITS, (security_id,))
            actions = [(time_us, _decode_action.decode(text)) for time_us, text in cursor]
        return [(time_us, action) for time_us, action in actions if isinstance(action, Split)]

    def refresh(self) -> None:
        """Read the list now. Raises DatabaseUnavailable."""
        with self._lock:
            self._read()

    def follow(self, stopping: threading.Event) -> None:
        """Read the list again and again until stopping; the database may be away."""
        while True:
            try:
                with self._lock:
                    self._read()
            except DatabaseUnavailable:
                log.debug("securities not read: the database is away")
            if stopping.wait(_FOLLOW_EVERY_S):
                return

    def _read(self) -> None:
        began_s = time.monotonic()
        with self._clearing.transaction() as cursor:
            cursor.execute(_SELECT)
            self._known = {row[0]: Security(*row) for row in cursor}
        self._began_s = began_s
