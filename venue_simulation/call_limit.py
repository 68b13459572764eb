"""What one call of a strategy may cost a simulated market: time, and things asked for.

Live, a player's process has limits of the kernel. Here all strategies share one process, so one
that never comes back, or never stops asking, would end the market of everybody.
"""

import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from types import FrameType

from trading_bots.commands import Intent

MOST_S = 10
"""Seconds of processor time for one event."""
MOST_INTENTS = 10_000
"""Intents in answer to one event."""
_TICK_S = 1.0


class CallTookTooLong(BaseException):
    """Raised inside the call, where an `except Exception` of the strategy does not hide it."""


class CallLimit:
    """Ends a call that takes more than MOST_S, while the block of `watched` runs.

    Only in the main thread, where signals arrive; without it elsewhere. It can't interrupt a single
    operation of the interpreter. What is stopped depends on the machine only for such a call.
    """

    def __init__(self, most_s: float = MOST_S, tick_s: float = _TICK_S) -> None:
        self._tick_s = tick_s
        self._most_ticks = max(1, round(most_s / tick_s))
        self._call = 0
        self._is_inside = False
        self._seen, self._ticks = 0, 0

    def begin(self) -> None:
        """A strategy is called now."""
        self._call += 1
        self._is_inside = True

    def end(self) -> None:
        """It came back."""
        self._is_inside = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at the calls every tick of processor time."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGVTALRM, self._look)
        signal.setitimer(signal.ITIMER_VIRTUAL, self._tick_s, self._tick_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    def _look(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._is_inside or self._seen != self._call:
            self._seen, self._ticks = self._call, 0
            return
        self._ticks += 1
        if self._ticks >= self._most_ticks:
            raise CallTookTooLong


def taken(answer: Iterable[Intent]) -> Sequence[Intent]:
    """All that a strategy asks for. ValueError for more than MOST_INTENTS."""
    if isinstance(answer, tuple | list):
        return answer
    found = list(islice(answer, MOST_INTENTS + 1))
    if len(found) > MOST_INTENTS:
        raise ValueError(f"asked for more than {MOST_INTENTS:,} things at one event")
    return found
