"""When a loop takes its next batch: under load it gathers a little first.

A transaction, a message and a wake-up cost as much as dozens of their items. A loop that always
takes what is there at once makes many small batches of a steady flow, and the processor time goes
into what each batch costs. So a loop whose last batch shows that there is a flow waits until
`least_s` after that batch began. A lone item never waits: the batch before it had few.
"""

import threading
import time
from collections.abc import Callable


class Pace:
    """For one loop: `wait` before it takes a batch, `began` with the size of what it took."""

    def __init__(
        self,
        stopping: threading.Event,
        least_s: float,
        flow: range,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`flow`: sizes of a batch after which the next one is worth waiting for.

        Fewer items are no flow, and more make a batch that is large enough.
        """
        self._stopping = stopping
        self._least_s = least_s
        self._flow = flow
        self._monotonic = monotonic
        self._began_s = float("-inf")
        self._size = 0

    def wait(self) -> None:
        """Wait, at most `least_s`, while more comes; not at all where there is no flow."""
        if self._size not in self._flow:
            return
        left_s = self._began_s + self._least_s - self._monotonic()
        if left_s > 0:
            self._stopping.wait(left_s)

    def began(self, size: int) -> None:
        """A batch of this many items begins now."""
        self._began_s = self._monotonic()
        self._size = size
