"""How far settlement and record are behind: a door that takes more than the venue works off must
say no in time.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from service_runtime.database import DatabaseUnavailable

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_MEMORY = 0.7
"""Weight of the earlier pace against the newest."""
_AWAY_S = 4.0
"""A reader that works off nothing for so long is away."""


class Progress(Protocol):
    """Reads how far what is to do and what is done have come."""

    def __call__(self) -> tuple[int, int]:
        """How much there has been to do, and how much of it is done; of all shards together."""
        ...


class Backlog:
    """Looks four times a second, in a thread of its own, how far one reader is behind, and whether
    that is too far.

    So much may wait: `always_allowed` (a reader that starts again delays nobody), or what it works
    off within `longest_s` at its newest pace. With `is_excused` what piled up while the reader was
    away does not count: nobody has to wait until a restarted reader has caught up.
    """

    def __init__(
        self,
        who: str,
        progress: Progress,
        always_allowed: int,
        longest_s: float,
        *,
        is_excused: bool = False,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.who = who
        self._progress = progress
        self._always_allowed = always_allowed
        self._longest_s = longest_s
        self._is_excused = is_excused
        self._now_s = now_s
        self._is_long = False
        self._looked_s: float | None = None
        self._done: int | None = None
        self._moved_s = 0.0
        self._pace = 0.0
        self._excused = 0

    def is_long(self) -> bool:
        """Whether a new order would wait for this reader longer than it should."""
        return self._is_long

    def run(self, stopping: threading.Event) -> None:
        """Look until stopping."""
        while not stopping.wait(_LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Look once. A database that is away is no backlog: the commit itself will say so."""
        try:
            there_is, done = self._progress()
        except DatabaseUnavailable:
            self._looked_s = None
            self._say(False, 0)
            return
        behind, now_s = there_is - done, self._now_s()
        self._watch_pace(behind, done, now_s)
        counted = behind - self._excused
        self._say(counted > max(self._always_allowed, self._pace * self._longest_s), counted)

    def _watch_pace(self, behind: int, done: int, now_s: float) -> None:
        """Its pace, and what is excused now."""
        is_first = self._done is None
        if is_first or done != self._done or not behind:
            self._moved_s = now_s
        if self._looked_s is not None and self._done is not None and now_s > self._looked_s:
            gained = max(0, done - self._done) / (now_s - self._looked_s)
            self._pace = _MEMORY * self._pace + (1 - _MEMORY) * gained
        self._looked_s, self._done = now_s, done
        is_away = is_first or now_s - self._moved_s >= _AWAY_S
        self._excused = behind if is_away and self._is_excused else min(self._excused, behind)

    def _say(self, is_long: bool, behind: int) -> None:
        if is_long != self._is_long:
            log.warning(
                "the venue is behind, new orders are refused"
                if is_long
                else "new orders are taken again",
                extra={"who": self.who, "behind": behind},
            )
        self._is_long = is_long
