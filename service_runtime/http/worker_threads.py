"""Threads for what may block: the Flask routes, statements, long lists.

Their number is bounded, what waits for them is bounded, and one caller takes at most a part of
them, so that a client that asks much waits for itself.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from venue_protocol.refusals import Refusal, Refused, RejectReason

P = ParamSpec("P")
T = TypeVar("T")

STRANGER = "@"
"""Begins the name of a caller without a key; no client_id does."""
_MOST_WAITING_OF_A_CALLER = 256
"""Requests of one caller that wait for a thread; each is at most one connection's."""
_SHARE = 4
"""A client gets at most a fourth of the threads at once."""
_MOST_OF_A_STRANGER = 2
"""Threads of an address without a key: what anybody may ask costs little, and is not urgent."""


class WorkerThreads:
    """A bounded pool. `run` on the server's loop only."""

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most_of_a_client = max(1, threads // _SHARE)
        self._most_of_a_stranger = min(_MOST_OF_A_STRANGER, self._most_of_a_client)
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(
        self, caller: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What `function` returns in a thread; Refused when too much of `caller` waits already.

        `caller`: the client that asks, STRANGER and the address, or "" for the service itself.
        """
        await self._enter(caller)
        try:
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._pool, lambda: context.run(function, *args, **kwargs)
            )
        finally:
            self._leave(caller)

    async def _enter(self, caller: str) -> None:
        running = self._running.get(caller, 0)
        is_stranger = caller.startswith(STRANGER)
        if running < (self._most_of_a_stranger if is_stranger else self._most_of_a_client):
            self._running[caller] = running + 1
            return
        waiting = self._waiting.setdefault(caller, deque())
        if len(waiting) >= _MOST_WAITING_OF_A_CALLER:
            message = "too many of your requests wait, nothing was done"
            raise Refused(Refusal(RejectReason.OVERLOADED, message))
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(caller)
            raise

    def _leave(self, caller: str) -> None:
        """Hand the place to the caller's next request, or give it back."""
        waiting = self._waiting.get(caller)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._waiting.pop(caller, None)
        self._running[caller] -= 1
        if not self._running[caller]:
            del self._running[caller]
