"""Long lists take turns."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from order_entry_gateway.adapters.concurrency_limit import AT_A_TIME, ListTurns
from venue_protocol.refusals import Refused, RejectReason


def test_a_list_that_gets_no_turn_in_time_is_refused_with_nothing_done() -> None:
    async def scenario() -> RejectReason:
        turns = ListTurns(patience_s=0.01)
        async with AsyncExitStack() as inside:
            for _ in range(AT_A_TIME):
                await inside.enter_async_context(turns.reading())
            with pytest.raises(Refused) as refused:
                await inside.enter_async_context(turns.reading())
        return refused.value.refusal.reason

    assert asyncio.run(scenario()) is RejectReason.OVERLOADED


def test_a_turn_is_given_back_also_after_a_refusal_inside() -> None:
    async def scenario() -> int:
        turns, done = ListTurns(patience_s=0.01), 0
        for _ in range(3 * AT_A_TIME):
            with pytest.raises(ZeroDivisionError):
                async with turns.reading():
                    done += 1
                    raise ZeroDivisionError
        return done

    assert asyncio.run(scenario()) == 3 * AT_A_TIME


def test_answers_wait_for_their_turn_however_long_and_not_for_those_who_come() -> None:
    async def scenario() -> list[str]:
        turns, events = ListTurns(patience_s=0.01), []

        async def write(name: str, pause: asyncio.Event) -> None:
            async with turns.writing():
                events.append(name)
                await pause.wait()

        release = asyncio.Event()
        async with AsyncExitStack() as inside:
            for _ in range(AT_A_TIME):
                await inside.enter_async_context(turns.reading())
            writers = [asyncio.create_task(write("writing", release)) for _ in range(AT_A_TIME + 1)]
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(events) == AT_A_TIME
            release.set()
            await asyncio.gather(*writers)
        return events

    assert len(asyncio.run(scenario())) == AT_A_TIME + 1
