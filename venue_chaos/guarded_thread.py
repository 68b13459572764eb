"""Threads of a campaign: one that dies fails the campaign, with its traceback."""

import threading
import traceback
from collections.abc import Callable, Iterable


class GuardedThread(threading.Thread):
    """Runs `body`, and keeps what it raised."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._body = body
        self.failure: str | None = None
        """Which thread died, and the traceback."""

    def run(self) -> None:
        """The body; an exception becomes `failure`."""
        try:
            self._body()
        except Exception:
            self.failure = f"the campaign itself failed in {self.name}:\n{traceback.format_exc()}"


def failures(threads: Iterable[GuardedThread]) -> list[str]:
    """The failures of those that died."""
    return [thread.failure for thread in threads if thread.failure is not None]
