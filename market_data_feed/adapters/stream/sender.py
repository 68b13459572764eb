"""The one thread that writes to all sockets.

No socket is ever waited for, so a slow reader delays nobody.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque

from market_data_feed.adapters.stream.subscriber import Subscriber

_LONGEST_WAIT_S = 0.25
_FAREWELL_S = 0.5


class Sender:
    """Flushes subscribers that have something new, or whose socket has room again."""

    def __init__(self) -> None:
        self._woken: deque[Subscriber] = deque()
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._blocked: dict[Subscriber, int] = {}

    def wake(self, subscriber: Subscriber) -> None:
        """There is something to send to this subscriber. From any thread; `ring` afterwards."""
        self._woken.append(subscriber)

    def ring(self) -> None:
        """Start sending what was woken."""
        with contextlib.suppress(BlockingIOError):
            self._rope.send(b"!")

    def run(self, stopping: threading.Event) -> None:
        """Send until `stopping`, and a moment longer, so that farewells go out."""
        end_s = float("inf")
        while time.monotonic() < end_s:
            if stopping.is_set():
                end_s = min(end_s, time.monotonic() + _FAREWELL_S)
            for key, _ in self._selector.select(_LONGEST_WAIT_S):
                if key.fileobj is self._bell:
                    self._silence_bell()
                else:
                    self._flush(key.data)
            for subscriber in self._take_woken():
                self._flush(subscriber)
            for subscriber in [s for s in self._blocked if s.is_ending()]:
                self._flush(subscriber)

    def _take_woken(self) -> list[Subscriber]:
        """Each woken subscriber once."""
        woken: dict[Subscriber, None] = {}
        while self._woken:
            woken[self._woken.popleft()] = None
        return list(woken)

    def _flush(self, subscriber: Subscriber) -> None:
        is_blocked = subscriber.flush()
        was_blocked = subscriber in self._blocked
        if is_blocked and not was_blocked:
            descriptor = subscriber.connection.fileno()
            if descriptor < 0:
                return
            self._selector.register(descriptor, selectors.EVENT_WRITE, subscriber)
            self._blocked[subscriber] = descriptor
        elif was_blocked and not is_blocked:
            self._forget(subscriber)
        if subscriber.is_ended:
            subscriber.released.set()

    def _forget(self, subscriber: Subscriber) -> None:
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(self._blocked[subscriber])
        del self._blocked[subscriber]

    def _silence_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._bell.recv(4096):
                pass
