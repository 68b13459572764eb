"""Watches how far settlement and record are behind, so that the gateway can refuse in time."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from service_runtime.database import DatabaseUnavailable

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_MEMORY = 0.7
"""Weight of the earlier pace against the newest: an average over about a second."""
_AWAY_S = 4.0
"""A reader that handles nothing for so long counts as away."""


class Progress(Protocol):
    """Reads how much has been asked of a reader, and how much it has done."""

    def __call__(self) -> tuple[int, int]:
        """How much was ever asked, and how much of it is done; for all shards together."""
        ...


class Backlog:
    """Looks four times a second whether one reader is too far behind.

    Two amounts may wait: `always_allowed` (so a reader that starts again delays no order), or what
    the reader handles within `longest_s` at its newest pace. With `is_excused`, what piled up while
    the reader was away does not count, so trading does not wait until it has caught up.

    Example: a reader handles 3,000 a second, and `longest_s` is 1. Then 5,000 may wait if
    `always_allowed` is 5,000, and 3,000 may wait if it is 1,000.
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
        """Look once. A database that is away is no backlog: the commit itself will refuse."""
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
        """Update the reader's pace, and what is excused now."""
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
