"""How far settlement is behind the log: who takes orders faster than the venue settles them must say no in time."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from service_runtime.database import DatabaseUnavailable

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_ALWAYS_ALLOWED = 5_000
"""Commands that may wait whatever the pace: as long as that, a clearinghouse that starts again delays nobody."""
_LONGEST_S = 1.0
"""Beyond that, what the newest pace settles within this time."""
_MEMORY = 0.7
"""Weight of the earlier pace against the newest."""


class Progress(Protocol):
    """Reads how far log and settlement have come."""

    def __call__(self) -> tuple[int, int]:
        """Commands logged, and of them those whose events are settled; of the shard that lags most."""
        ...


class Backlog:
    """Looks at the backlog four times a second in a thread of its own."""

    def __init__(
        self, progress: Progress, stopping: threading.Event, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress = progress
        self._stopping = stopping
        self._now_s = now_s
        self._seen: tuple[float, int] | None = None
        self._pace = 0.0
        self._is_long = False

    def is_long(self) -> bool:
        """Whether a new order would wait for its settlement longer than it should."""
        return self._is_long

    def run(self) -> None:
        """Look until stopping."""
        while not self._stopping.wait(_LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Look once. A database that is away is not a backlog: the commit itself will say so."""
        try:
            logged, settled = self._progress()
        except DatabaseUnavailable:
            self._seen, self._is_long = None, False
            return
        now_s = self._now_s()
        if self._seen is not None and now_s > self._seen[0]:
            newest = (settled - self._seen[1]) / (now_s - self._seen[0])
            self._pace = _MEMORY * self._pace + (1 - _MEMORY) * max(0.0, newest)
        self._seen = (now_s, settled)
        was_long = self._is_long
        self._is_long = logged - settled > max(_ALWAYS_ALLOWED, self._pace * _LONGEST_S)
        if self._is_long != was_long:
            log.warning(
                "settlement is behind, new orders are refused" if self._is_long else "new orders are taken again",
                extra={"sequence": logged, "settled": settled},
            )
