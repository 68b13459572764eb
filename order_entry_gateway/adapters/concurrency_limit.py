"""Long lists take turns, so that a single order that comes beside them is not the last of two
hundred to be read.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from venue_protocol.refusals import Refusal, Refused, RejectReason

_AT_A_TIME = 4
"""More would only contend for the interpreter: reading and writing JSON waits for nothing else."""
_SHORT_BYTES = 4_096
"""Up to here, about 25 orders, a request passes at once."""
_PATIENCE_S = 1.0


class Turnstile:
    """Few long lists at a time are read, and few answered; who is answered waits for nobody who
    comes.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._reading = threading.BoundedSemaphore(_AT_A_TIME)
        self._writing = threading.BoundedSemaphore(_AT_A_TIME)

    @contextmanager
    def entering(self, size: int) -> Iterator[None]:
        """A turn for a request of `size` bytes; Refused when it does not come in time, with nothing
        done.
        """
        if size <= _SHORT_BYTES:
            yield
            return
        if not self._reading.acquire(timeout=self._patience_s):
            busy = Refusal(
                RejectReason.OVERLOADED, "too many lists wait at the door, nothing was done"
            )
            raise Refused(busy)
        try:
            yield
        finally:
            self._reading.release()

    @contextmanager
    def leaving(self, size: int) -> Iterator[None]:
        """A turn for the answer to a request of `size` bytes, however long it takes."""
        if size <= _SHORT_BYTES:
            yield
            return
        with self._writing:
            yield
