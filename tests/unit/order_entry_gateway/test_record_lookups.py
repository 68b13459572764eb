"""Look-ups of single cancels share statements, and each gets its answer, whatever fails."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from order_entry_gateway.adapters.record_lookups import RecordLookups
from order_entry_gateway.domain.recorded_order import RecordedOrder
from service_runtime.http.worker_threads import WorkerThreads


def recorded(order_id: int) -> RecordedOrder:
    return RecordedOrder(order_id, "ann", "new", 1, 10_000, 0)


class Record:
    """Answers when it may, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = threading.Event()
        self.fails = False

    def look_up(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        self.asked.append(list(order_ids))
        assert self.may_answer.wait(10)
        if self.fails:
            raise RuntimeError("no answer")
        return {order_id: recorded(order_id) for order_id in order_ids}


async def ask(record: Record, count: int) -> list[object]:
    """So many requests, of which the first is under way before the others come."""
    threads, lookups = WorkerThreads(4, "test"), RecordLookups(record.look_up)
    first = asyncio.create_task(lookups.recorded([1], threads))
    while not record.asked:
        await asyncio.sleep(0.001)
    others = [
        asyncio.create_task(lookups.recorded([number], threads)) for number in range(2, count + 1)
    ]
    await asyncio.sleep(0)
    record.may_answer.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_what_arrives_while_a_statement_runs_shares_the_next() -> None:
    record = Record()
    answers = asyncio.run(ask(record, 500))
    assert [len(asked) for asked in record.asked] == [1, 499]
    for number, answer in enumerate(answers, 1):
        assert isinstance(answer, dict) and answer[number] == recorded(number)


def test_a_statement_asks_for_so_many_orders_at_most() -> None:
    record = Record()
    asyncio.run(ask(record, 2_501))
    assert [len(asked) for asked in record.asked] == [1, 1_000, 1_000, 500]


def test_a_failure_is_told_to_all_who_shared_it_and_the_next_are_asked_again() -> None:
    record = Record()
    record.fails = True
    answers = asyncio.run(ask(record, 3))
    assert [str(answer) for answer in answers] == ["no answer"] * 3
    record.fails = False
    record.asked.clear()
    assert asyncio.run(ask(record, 2))[0] == {1: recorded(1)}


@pytest.mark.parametrize("count", [1, 2])
def test_a_request_that_is_given_up_stops_nobody(count: int) -> None:
    record = Record()

    async def give_up() -> object:
        threads, lookups = WorkerThreads(4, "test"), RecordLookups(record.look_up)
        given_up = [asyncio.create_task(lookups.recorded([each], threads)) for each in range(count)]
        while not record.asked:
            await asyncio.sleep(0.001)
        for task in given_up:
            task.cancel()
        record.may_answer.set()
        return await lookups.recorded([9], threads)

    assert asyncio.run(give_up()) == {9: recorded(9)}
