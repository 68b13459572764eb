"""How orders stand in the record, asked for many requests at once.

Cancels and amends that arrive while one statement runs share the next one, as orders share a
commit: a thousand single cancels a second are some hundred statements, and hold no thread.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from order_entry_gateway.domain.recorded_order import RecordedOrder
from service_runtime.http.worker_threads import WorkerThreads

_SHARE = "record look-ups"
"""Whose share of the threads they take: their own, one thread at a time."""
_MOST_IN_STATEMENT = 1_000


class RecordLookups:
    """For one loop."""

    def __init__(self, look_up: Callable[[Sequence[int]], dict[int, RecordedOrder]]) -> None:
        self._look_up = look_up
        self._waiting: deque[tuple[frozenset[int], asyncio.Future[dict[int, RecordedOrder]]]] = (
            deque()
        )
        self._task: asyncio.Task[None] | None = None
        """Runs while anybody waits."""

    async def recorded(
        self, order_ids: Iterable[int], threads: WorkerThreads
    ) -> dict[int, RecordedOrder]:
        """These orders as recorded, and others that were asked for with them."""
        future: asyncio.Future[dict[int, RecordedOrder]]
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((frozenset(order_ids), future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(threads))
        return await future

    async def _run(self, threads: WorkerThreads) -> None:
        while self._waiting:
            wanted, futures = self._next()
            try:
                found = await threads.run(_SHARE, self._look_up, sorted(wanted))
            except Exception as error:
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
                continue
            for future in futures:
                if not future.done():
                    future.set_result(found)

    def _next(self) -> tuple[set[int], list[asyncio.Future[dict[int, RecordedOrder]]]]:
        """What the next statement asks, oldest first, and who waits for it."""
        wanted: set[int] = set()
        futures = []
        while self._waiting and (not wanted or len(wanted) < _MOST_IN_STATEMENT):
            order_ids, future = self._waiting.popleft()
            wanted |= order_ids
            futures.append(future)
        return wanted, futures
