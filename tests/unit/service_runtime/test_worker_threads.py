"""The threads that do what may block: bounded, and shared out among callers."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from service_runtime.http import request_context, worker_threads
from service_runtime.http.worker_threads import WorkerThreads
from venue_protocol.refusals import Refused, RejectReason


class Work:
    """Something that takes until it may end, and notes how much of it runs at once."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.running = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.running += 1
        assert self.may_end.wait(10)


async def begun(*coroutines: Coroutine[Any, Any, None]) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for _ in range(10):
        await asyncio.sleep(0)
    return tasks


async def until_running(work: Work, count: int) -> None:
    while work.running < count:
        await asyncio.sleep(0.001)


def test_a_caller_takes_a_part_of_the_threads_and_the_rest_of_its_requests_wait() -> None:
    async def scenario() -> tuple[int, str]:
        threads, work = WorkerThreads(8, "test"), Work()
        greedy = await begun(*(threads.run("greedy", work) for _ in range(20)))
        await until_running(work, 2)
        other = await asyncio.wait_for(threads.run("other", str, "served"), 5)
        running = work.running
        work.may_end.set()
        await asyncio.gather(*greedy)
        assert work.running == 20
        return running, other

    assert asyncio.run(scenario()) == (2, "served")


def test_too_many_that_wait_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "_MOST_WAITING_OF_A_CALLER", 3)

    async def scenario() -> RejectReason:
        threads, work = WorkerThreads(4, "test"), Work()
        greedy = await begun(*(threads.run("greedy", work) for _ in range(4)))
        with pytest.raises(Refused) as refused:
            await threads.run("greedy", work)
        work.may_end.set()
        await asyncio.gather(*greedy)
        return refused.value.refusal.reason

    assert asyncio.run(scenario()) is RejectReason.OVERLOADED


def test_a_request_that_is_given_up_leaves_its_turn_to_the_next() -> None:
    async def scenario() -> str:
        threads, work = WorkerThreads(4, "test"), Work()
        first, second = await begun(threads.run("one", work), threads.run("one", work))
        await until_running(work, 1)
        second.cancel()
        work.may_end.set()
        await first
        return await asyncio.wait_for(threads.run("one", str, "next"), 5)

    assert asyncio.run(scenario()) == "next"


def test_a_thread_works_in_the_context_of_its_request() -> None:
    async def scenario() -> tuple[str | None, str | None]:
        request_context.begin()
        return request_context.request_id(), await WorkerThreads(1, "test").run(
            "", request_context.request_id
        )

    outside, inside = asyncio.run(scenario())
    assert outside is not None and outside == inside
