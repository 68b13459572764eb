"""Signals that ask us to stop: one exception for all of them, and none while we are cleaning up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """The handler: KeyboardInterrupt whatever the signal; only the first counts."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def install() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt; later ones are ignored.

    Takes up what was held back while the program was loading.
    """
    for number in SIGNALS:
        signal.signal(number, raise_interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def shielded() -> Iterator[None]:
    """No signal interrupts this block (a clean stop); those that come are lost."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
