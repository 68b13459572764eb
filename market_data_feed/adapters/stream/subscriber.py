"""One open stream: a bounded queue of frames, and the WebSocket that takes them when its client
reads.
"""

import asyncio
import threading
from collections import deque
from typing import Protocol

from service_runtime.http.websocket_frames import json_frame

QUEUE_BYTES = 1 << 21
"""A subscriber for which more than this waits already is cut off at its next message.

Snapshots do not count: they are as long as the book, and the feed sends them when asked.
"""
_MOST_UNREAD_BYTES = 1 << 16
"""So much may be on its way to the kernel; the rest waits here, where it is counted."""
_MOST_AT_ONCE_BYTES = 1 << 16

BY_CLIENT = 0
"""Not a close code: the client has said goodbye, it needs no notice."""
TOO_SLOW = 1008
RESTARTING = 1012
KEY_REVOKED = 4401
CROWDED_OUT = 1013

_Chunk = tuple[bytes, str, int, bool]
"""Whole frames, the topic and sequence of the newest message in them, whether it is a snapshot."""


class FrameSocket(Protocol):
    """The WebSocket as a subscriber writes to it. On the server's loop only."""

    def write_frames(self, frames: bytes) -> None:
        """Send whole frames, without ever waiting."""
        ...

    def unread_bytes(self) -> int:
        """How much of what was written the kernel has not taken yet."""
        ...

    def is_gone(self) -> bool:
        """Whether the connection has ended."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Send a close frame after what was written, and close in time."""
        ...


class Subscriber:
    """What waits for one socket.

    `put`, `end` and `is_ending` from any thread; the rest on the server's loop.
    """

    def __init__(self, socket: FrameSocket, queue_bytes: int = QUEUE_BYTES) -> None:
        self._socket = socket
        self._queue_bytes = queue_bytes
        self._lock = threading.Lock()
        self._waiting: deque[_Chunk] = deque()
        self._waiting_bytes = 0
        """Without snapshots."""
        self._snapshot_bytes = 0
        self._delivered: dict[str, int] = {}
        """Newest sequence of each topic that was handed to the socket: it arrives if anything that
        is written later does.
        """
        self._has_room = asyncio.Event()
        self._ending: tuple[int, str] | None = None
        self.is_ended = False
        """Nothing more will be sent."""

    def put(
        self, frames: bytes, topic: str = "", sequence: int = 0, is_snapshot: bool = False
    ) -> bool:
        """Queue whole frames; if too much waits already, cut the subscriber off instead. False once
        it ends.

        `topic` and `sequence` name the newest message in them: what a cut-off subscriber is told.
        What waits is judged before these frames: one long message makes nobody a slow reader.
        """
        with self._lock:
            if self._ending is not None or self.is_ended:
                return False
            if self._waiting_bytes > self._queue_bytes:
                self._ending = (TOO_SLOW, "too slow")
                return False
            self._waiting.append((frames, topic, sequence, is_snapshot))
            self._count(len(frames), is_snapshot)
            return True

    async def wait_for_room(self, patience_s: float) -> bool:
        """Wait until at most an eighth of the queue is filled, snapshots counted too; False if it
        isn't within `patience_s`, or it ended.
        """
        try:
            async with asyncio.timeout(patience_s):
                while not self.is_ending() and not self._is_nearly_empty():
                    self._has_room.clear()
                    await self._has_room.wait()
        except TimeoutError:
            return False
        return not self.is_ending()

    def end(self, code: int, reason: str) -> None:
        """Close it after what is queued; if it is TOO_SLOW, at once.

        It is told why, unless BY_CLIENT.
        """
        with self._lock:
            if self._ending is None:
                self._ending = (code, reason)

    def cut_off(self) -> tuple[int, str] | None:
        """Close code and words with which the feed ended it; None where its client did, or yet."""
        return None if self._ending is None or self._ending[0] == BY_CLIENT else self._ending

    def is_ending(self) -> bool:
        """Whether it was ended or cut off."""
        return self._ending is not None or self.is_ended

    def flush(self) -> None:
        """Hand the socket what it takes now; it calls again when its client has read."""
        if self.is_ended:
            return
        if self._socket.is_gone():
            self._forget()
            return
        while self._socket.unread_bytes() <= _MOST_UNREAD_BYTES and not self._is_cut_off():
            frames = self._take()
            if not frames:
                break
            self._socket.write_frames(frames)
        if self._ending is not None and (self._is_cut_off() or not self._waiting):
            self._end_socket(*self._ending)
        if self._is_nearly_empty() or self.is_ending():
            self._has_room.set()

    def _is_nearly_empty(self) -> bool:
        return self._waiting_bytes + self._snapshot_bytes <= self._queue_bytes // 8

    def _count(self, size: int, is_snapshot: bool) -> None:
        if is_snapshot:
            self._snapshot_bytes += size
        else:
            self._waiting_bytes += size

    def _is_cut_off(self) -> bool:
        return self._ending is not None and self._ending[0] == TOO_SLOW

    def _take(self) -> bytes:
        """The next frames to send; empty if nothing waits."""
        taken: list[bytes] = []
        size = 0
        with self._lock:
            while self._waiting and size < _MOST_AT_ONCE_BYTES:
                frames, topic, sequence, is_snapshot = self._waiting.popleft()
                taken.append(frames)
                size += len(frames)
                self._count(-len(frames), is_snapshot)
                if topic:
                    self._delivered[topic] = sequence
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _end_socket(self, code: int, reason: str) -> None:
        """Say where the subscriber was cut off, and close."""
        if code != BY_CLIENT:
            notice = {"action": "cut_off", "reason": reason, "resume_from": self._delivered}
            self._socket.write_frames(json_frame(notice))
            self._socket.end(code, reason)
        self._forget()

    def _forget(self) -> None:
        """Drop what waits: nothing more is sent."""
        with self._lock:
            self.is_ended = True
            self._waiting.clear()
            self._waiting_bytes = self._snapshot_bytes = 0
        self._has_room.set()
