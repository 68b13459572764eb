"""Books as frames of bounded size, encoded once for all who ask at the same sequence.

A book of 60,000 levels is some 3 MB of JSON, and common client libraries refuse frames above 1 MiB.
So a long book goes out as a snapshot with the best levels, continued by updates with the same
sequence; each frame but the last says `"continues": true`. A client that applies updates in their
order needs no other code.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from market_data_feed.adapters import views
from market_data_feed.domain.market import Level
from service_runtime.http.websocket_frames import json_frame

LEVELS_A_FRAME = 5_000
"""Of each side. A level is at most 75 bytes of JSON, so a frame is below 750 kB."""
_MOST_CACHED_BYTES = 1 << 25
"""Of all books together; those asked for last stay."""


class BookSnapshot(msgspec.Struct, frozen=True):
    """One book as it goes to a new subscriber."""

    sequence: int
    """Of the topic: where the updates after it begin."""
    version: int
    """Of the market: two snapshots with the same are the same."""
    frames: list[bytes]
    levels: int
    """Price levels of both sides."""

    def size(self) -> int:
        """Bytes of all frames."""
        return sum(len(frame) for frame in self.frames)


class BookSnapshots:
    """The newest snapshots that were encoded. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cached: OrderedDict[str, BookSnapshot] = OrderedDict()
        self._cached_bytes = 0

    def find(self, security_id: str, sequence: int, version: int) -> BookSnapshot | None:
        """The snapshot of exactly this moment, if somebody asked for it before."""
        with self._lock:
            return self._find(security_id, sequence, version)

    def encode(
        self,
        security_id: str,
        sequence: int,
        version: int,
        bids: list[Level],
        asks: list[Level],
        time_us: int,
    ) -> BookSnapshot:
        """The snapshot with these levels.

        Those who ask at the same moment wait for the first of them to encode it.
        """
        with self._lock:
            found = self._find(security_id, sequence, version)
            if found is None:
                head = _head("snapshot", security_id) | {"sequence": sequence, "previous": None}
                frames = list(book_frames(head, bids, asks, sequence, time_us))
                found = BookSnapshot(sequence, version, frames, len(bids) + len(asks))
                self._keep(security_id, found)
            return found

    def _find(self, security_id: str, sequence: int, version: int) -> BookSnapshot | None:
        found = self._cached.get(security_id)
        if found is None or (found.sequence, found.version) != (sequence, version):
            return None
        self._cached.move_to_end(security_id)
        return found

    def _keep(self, security_id: str, snapshot: BookSnapshot) -> None:
        replaced = self._cached.pop(security_id, None)
        self._cached_bytes += snapshot.size() - (replaced.size() if replaced else 0)
        self._cached[security_id] = snapshot
        while self._cached_bytes > _MOST_CACHED_BYTES and len(self._cached) > 1:
            _, oldest = self._cached.popitem(last=False)
            self._cached_bytes -= oldest.size()


def update_frames(
    security_id: str,
    sequence: int,
    previous: int,
    bids: list[Level],
    asks: list[Level],
    time_us: int,
) -> bytes:
    """What one event batch changed in a book, in as many frames as it takes."""
    head = _head("update", security_id) | {
        "sequence": sequence,
        "previous": previous,
        "time_us": time_us,
    }
    return b"".join(book_frames(head, bids, asks, sequence, time_us))


def book_frames(
    head: dict[str, Any], bids: list[Level], asks: list[Level], sequence: int, time_us: int
) -> Iterator[bytes]:
    """Frames with all levels, the first with `head`, the others as updates that continue it."""
    longest = max(len(bids), len(asks), 1)
    for start in range(0, longest, LEVELS_A_FRAME):
        end = start + LEVELS_A_FRAME
        message = head | {
            "bids": views.levels(bids[start:end]),
            "asks": views.levels(asks[start:end]),
        }
        if end < longest:
            message["continues"] = True
        yield json_frame(message)
        head = head | {"type": "update", "previous": sequence, "time_us": time_us}


def _head(kind: str, security_id: str) -> dict[str, Any]:
    return {"channel": "book", "type": kind, "security": security_id}
