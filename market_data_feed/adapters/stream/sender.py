"""Brings what any thread queues to the server's loop, which writes to all sockets.

No socket is ever waited for, so a slow reader delays nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from market_data_feed.adapters.stream.subscriber import Subscriber


class Sender:
    """Flushes subscribers that have something new."""

    def __init__(self, on_fault: Callable[[str], object]) -> None:
        self._on_fault = on_fault
        """Called with the name of this part when it failed: the loop would only note it."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: deque[Subscriber] = deque()
        self._is_called = False

    def run_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop that has the sockets; what was woken before waits until then."""
        self._loop = loop

    def wake(self, subscriber: Subscriber) -> None:
        """There is something to send to this subscriber; from any thread.

        It is sent once `schedule_flush` is called.
        """
        self._woken.append(subscriber)

    def schedule_flush(self) -> None:
        """Start sending what was woken. Once for many: each call interrupts the loop's thread."""
        if self._is_called or self._loop is None:
            return
        self._is_called = True
        # Closed: the service ends.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._flush_woken)

    def _flush_woken(self) -> None:
        # First, so that what is woken from here on is called for again.
        self._is_called = False
        woken: dict[Subscriber, None] = {}
        while self._woken:
            woken[self._woken.popleft()] = None
        try:
            for subscriber in woken:
                subscriber.flush()
        except Exception:
            self._on_fault("sender")
