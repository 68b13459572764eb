"""Due times, whichever body they have: what expires, what cancels all, and that both outlive
whoever set them.
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from order_entry_gateway.adapters.memory_timers import MemoryTimers
from order_entry_gateway.adapters.timer_store import PostgresTimers
from order_entry_gateway.loops.timekeeper import Timers
from service_runtime.database import Database
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores

_names = itertools.count(1)
_BASE_US = 1_800_000_000_000_000


@pytest.fixture(params=["memory", "postgres"])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Stores, Timers]]:
    if request.param == "memory":
        stores = memory_stores()
        yield stores, MemoryTimers(stores.log._clearing)  # type: ignore[attr-defined]
        return
    provisioned = request.getfixturevalue("provisioned")
    stores = postgres_stores(provisioned)
    database = Database(provisioned.clearing_url("order_entry_gateway"), "timers", pool_size=1)
    yield stores, PostgresTimers(database)
    database.close()
    stores.close()


@pytest.fixture
def client(both: tuple[Stores, Timers]) -> str:
    name = f"timed{next(_names)}"
    both[0].administration.create_client(name, "market_maker", 10_000, {})
    return name


def test_expiries_are_due_until_the_log_has_passed_them(both: tuple[Stores, Timers]) -> None:
    stores, timers = both
    with stores.log.transaction() as transaction:
        transaction.expect_expiries(0, [_BASE_US + 10, _BASE_US + 20])
        transaction.expect_expiries(0, [_BASE_US + 10])
    assert timers.due_shards(_BASE_US + 9) == []
    assert timers.due_shards(_BASE_US + 10) == [0]
    with stores.log.transaction() as transaction:
        transaction.forget_expiries(0, _BASE_US + 19)
    assert (timers.due_shards(_BASE_US + 19), timers.due_shards(_BASE_US + 20)) == ([], [0])
    with stores.log.transaction() as transaction:
        transaction.forget_expiries(0, _BASE_US + 20)


def test_an_expiry_is_noted_with_its_order_or_not_at_all(both: tuple[Stores, Timers]) -> None:
    stores, timers = both
    with pytest.raises(RuntimeError), stores.log.transaction() as transaction:
        transaction.expect_expiries(0, [_BASE_US])
        raise RuntimeError
    assert timers.due_shards(_BASE_US) == []


def test_a_timer_that_is_set_anew_is_due_later(both: tuple[Stores, Timers], client: str) -> None:
    _, timers = both
    timers.arm("switch", client, 100)
    timers.arm("switch", client, 200)
    assert timers.due_cancels(199) == []
    assert timers.due_cancels(200) == [("switch", client, 200)]
    timers.disarm("switch")
    assert timers.due_cancels(10**15) == []


def test_a_timer_is_taken_once_with_its_transaction_and_never_once_set_anew(
    both: tuple[Stores, Timers], client: str
) -> None:
    stores, timers = both
    for name in ("a", "b"):
        timers.arm(name, client, 100)
    timers.arm("b", client, 200)
    with pytest.raises(RuntimeError), stores.log.transaction() as transaction:
        assert list(transaction.take_timers([("a", 100)])) == [("a", 100)]
        raise RuntimeError
    with stores.log.transaction() as transaction:
        assert list(transaction.take_timers([("a", 100), ("b", 100), ("c", 100)])) == [("a", 100)]
    with stores.log.transaction() as transaction:
        assert list(transaction.take_timers([("a", 100)])) == []
    assert timers.due_cancels(10**15) == [("b", client, 200)]
    timers.disarm("b")


def test_of_two_who_take_a_timer_at_once_one_gets_it(
    both: tuple[Stores, Timers], client: str
) -> None:
    stores, timers = both
    timers.arm("contested", client, 100)

    def take() -> list[tuple[str, int]]:
        with stores.log.transaction() as transaction:
            return list(transaction.take_timers([("contested", 100)]))

    with ThreadPoolExecutor(1) as other:
        with stores.log.transaction() as transaction:
            assert list(transaction.take_timers([("contested", 100)])) == [("contested", 100)]
            waiting = other.submit(take)
            assert not wait([waiting], 0.2).done
        assert waiting.result(10) == []


def test_timers_are_kept_and_disarmed(both: tuple[Stores, Timers], client: str) -> None:
    _, timers = both
    for name in ("a", "b", "c"):
        timers.arm(name, client, 100)
    timers.keep(["a", "c", "unknown"], 300)
    timers.disarm("b")
    timers.disarm("b")
    assert timers.due_cancels(299) == []
    assert sorted(timers.due_cancels(300)) == [("a", client, 300), ("c", client, 300)]
    for name in ("a", "c"):
        timers.disarm(name)
