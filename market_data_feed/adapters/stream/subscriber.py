"""One open stream: a bounded queue of frames, and the socket they go to without ever waiting for
it.
"""

import contextlib
import socket
import threading
import time
from collections import deque

from market_data_feed.adapters.stream.frames import close_frame, frame_boundary, json_frame

QUEUE_BYTES = 1 << 21
"""A subscriber for which more than this waits already is cut off at its next message.

Snapshots do not count: they are as long as the book, and the feed sends them when asked.
"""
_SEND_BUFFER_BYTES = 1 << 16
_FAREWELL_BUFFER_BYTES = 1 << 18
_MOST_AT_ONCE_BYTES = 1 << 18

BY_CLIENT = 0
"""Not a close code: the client has said goodbye, it needs no farewell."""
TOO_SLOW = 1008
RESTARTING = 1012
KEY_REVOKED = 4401
CROWDED_OUT = 1013

_Chunk = tuple[bytes, str, int, bool]
"""Whole frames, the topic and sequence of the newest message in them, whether it is a snapshot."""


class Subscriber:
    """What waits for one socket.

    `put` from any thread; `flush` and `say_farewell` from the sender's alone.
    """

    def __init__(self, connection: socket.socket, queue_bytes: int = QUEUE_BYTES) -> None:
        self.connection = connection
        self._delivered: dict[str, int] = {}
        self._queue_bytes = queue_bytes
        self._lock = threading.Lock()
        self._drained = threading.Condition(self._lock)
        self._waiting: deque[_Chunk] = deque()
        self._waiting_bytes = 0
        """Without snapshots."""
        self._snapshot_bytes = 0
        self._sending = memoryview(b"")
        self._marks: list[tuple[int, str, int]] = []
        self._sent = 0
        self._ending: tuple[int, str] | None = None
        self.is_ended = False
        """Nothing more will be sent."""
        self.released = threading.Event()
        """Set when the sender has let go of an ended subscriber: its socket may be closed."""
        # A small kernel buffer: how far a subscriber lags is then seen here, and there is room left
        # for a farewell.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

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

    def wait_for_room(self, patience_s: float) -> bool:
        """Wait until at most an eighth of the queue is filled, snapshots counted too; False if it
        isn't within `patience_s`, or it ended.
        """
        deadline = time.monotonic() + patience_s
        with self._drained:
            while (
                self._waiting_bytes + self._snapshot_bytes > self._queue_bytes // 8
                and not self.is_ended
                and self._ending is None
            ):
                if not self._drained.wait(deadline - time.monotonic()):
                    return False
            return not self.is_ended and self._ending is None

    def wait_until_ended(self, timeout_s: float) -> bool:
        """Wait for the end of the stream, `timeout_s` at most; whether it ended."""
        deadline = time.monotonic() + timeout_s
        with self._drained:
            while not self.is_ending() and (left_s := deadline - time.monotonic()) > 0:
                self._drained.wait(left_s)
        return self.is_ending()

    def end(self, code: int, reason: str) -> None:
        """Close it after what is queued; if it is TOO_SLOW, at once.

        It is told why, unless BY_CLIENT.
        """
        with self._lock:
            if self._ending is None:
                self._ending = (code, reason)
                self._drained.notify_all()

    def abandon(self) -> None:
        """The client is gone: forget what waits."""
        with self._drained:
            self.is_ended = True
            self._waiting.clear()
            self._waiting_bytes = self._snapshot_bytes = 0
            self._drained.notify_all()

    def is_ending(self) -> bool:
        """Whether it was ended or cut off."""
        return self._ending is not None or self.is_ended

    def flush(self) -> bool:
        """Send what the socket takes now. True if more waits for the socket."""
        try:
            while not self.is_ended:
                if self._ending is not None and self._ending[0] == TOO_SLOW:
                    self._say_farewell()
                elif self._sent == len(self._sending) and not self._take():
                    if self._ending is not None:
                        self._say_farewell()
                    return False
                else:
                    self._sent += self.connection.send(
                        self._sending[self._sent :], socket.MSG_DONTWAIT
                    )
        except BlockingIOError:
            return True
        except OSError:
            self._finish()
        return False

    def _take(self) -> bool:
        """Take the next frames to send; False if nothing waits."""
        with self._drained:
            self._note_delivered(len(self._sending))
            taken: list[bytes] = []
            size = 0
            while self._waiting and size < _MOST_AT_ONCE_BYTES:
                frames, topic, sequence, is_snapshot = self._waiting.popleft()
                taken.append(frames)
                size += len(frames)
                self._count(-len(frames), is_snapshot)
                if topic:
                    self._marks.append((size, topic, sequence))
            self._drained.notify_all()
        self._sending = memoryview(taken[0] if len(taken) == 1 else b"".join(taken))
        self._sent = 0
        return bool(taken)

    def _count(self, size: int, is_snapshot: bool) -> None:
        if is_snapshot:
            self._snapshot_bytes += size
        else:
            self._waiting_bytes += size

    def _note_delivered(self, end: int) -> None:
        """Frames up to `end` of those being sent are the socket's now."""
        for mark, topic, sequence in self._marks:
            if mark <= end:
                self._delivered[topic] = sequence
        self._marks.clear()

    def _say_farewell(self) -> None:
        """Finish the frame that was begun, say where the subscriber was cut off, close.

        The kernel gets room for these few bytes, so they reach a client that reads again much
        later.
        """
        code, reason = self._ending or (BY_CLIENT, "")
        if code == BY_CLIENT:
            self._finish()
            return
        boundary = frame_boundary(self._sending, self._sent)
        self._note_delivered(boundary)
        notice = {"action": "cut_off", "reason": reason, "resume_from": self._delivered}
        farewell = bytes(self._sending[self._sent : boundary])
        farewell += json_frame(notice) + close_frame(code, reason)
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, max(_FAREWELL_BUFFER_BYTES, 2 * len(farewell))
        )
        with contextlib.suppress(OSError):
            self.connection.send(farewell, socket.MSG_DONTWAIT)
        self._finish()

    def _finish(self) -> None:
        self.abandon()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
