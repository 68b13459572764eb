"""Brings decisions from the committer's thread to the server's loop, all of a commit at once."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from order_entry_gateway.handlers import PendingRequest
from order_entry_gateway.ports import ANSWER_WITHIN_S

_LOOK_EVERY_S = 1.0


class Completions:
    """Calls back on the loop. All but `_note` on the loop only."""

    def __init__(self, within_s: float = ANSWER_WITHIN_S) -> None:
        self._within_s = within_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._decided: deque[PendingRequest] = deque()
        self._is_woken = False
        self._waiting: dict[PendingRequest, tuple[float, Callable[[], object]]] = {}
        """When each is given up, oldest first, and what to call then."""

    async def decided(self, pending: PendingRequest) -> None:
        """Wait until `pending` is decided or has taken too long: its answers are there at once."""
        if pending.is_decided():
            return
        future = asyncio.get_running_loop().create_future()
        self.call(pending, partial(_set_done, future))
        await future

    def call(self, pending: PendingRequest, then: Callable[[], object]) -> None:
        """Call `then` on the loop once `pending` is decided or has taken too long."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(_LOOK_EVERY_S, self._give_up)
        self._waiting[pending] = (time.monotonic() + self._within_s, then)
        pending.when_decided(partial(self._note, pending))

    def _note(self, pending: PendingRequest) -> None:
        """In the committer's thread: wake the loop, unless it is woken already."""
        self._decided.append(pending)
        if self._is_woken or self._loop is None:
            return
        self._is_woken = True
        # Closed: the service ends and has answered what it would.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # First, so that what is decided from here on wakes the loop again.
        self._is_woken = False
        while self._decided:
            waiting = self._waiting.pop(self._decided.popleft(), None)
            if waiting is not None:
                waiting[1]()

    def _give_up(self) -> None:
        """Say of what has taken too long that its outcome is unknown."""
        now_s = time.monotonic()
        late = []
        for pending, (end_s, _) in self._waiting.items():
            if end_s > now_s:
                break
            late.append(pending)
        for pending in late:
            pending.wait(0)
            self._waiting.pop(pending)[1]()
        assert self._loop is not None
        self._loop.call_later(_LOOK_EVERY_S, self._give_up)


def _set_done(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
