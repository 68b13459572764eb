"""Waiting for what a whole venue does in its own time."""

import threading
import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool], deadline_s: float = 20.0) -> None:
    """Return once `condition` holds; fail at the deadline."""
    end = time.monotonic() + deadline_s
    turn = threading.Event()
    while not condition():
        assert time.monotonic() < end, "condition not met in time"
        turn.wait(0.02)
