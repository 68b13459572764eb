"""The newest events as they were published, for quick answers to resend requests."""

import threading
from collections import deque

from venue_protocol.event_parts import EventPart

_MOST_PARTS = 4_096
_MOST_BYTES = 64_000_000
"""Some 400,000 events: what a reader misses while it restarts, at 10,000 events a second."""


class RecentEvents:
    """The newest messages with events, bounded in number and bytes.

    The command reader adds to it and the resender reads it, each in a thread of its own.
    """

    def __init__(self) -> None:
        self._parts: deque[EventPart] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, part: EventPart) -> None:
        """Remember a message; the oldest are forgotten."""
        with self._lock:
            self._parts.append(part)
            self._bytes += len(part.body)
            while len(self._parts) > _MOST_PARTS or self._bytes > _MOST_BYTES:
                self._bytes -= len(self._parts.popleft().body)

    def after(self, position: int) -> list[bytes] | None:
        """Bodies of all messages with events after `position`; None if some are forgotten."""
        with self._lock:
            if not self._parts or self._parts[0].first > position + 1:
                return None
            return [part.body for part in self._parts if part.last > position]
