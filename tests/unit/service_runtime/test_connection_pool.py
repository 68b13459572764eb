"""The pool lends each connection to one thread, no more than it may have, and forgets dead ones."""

import threading
from collections.abc import Callable

import pytest

from service_runtime.connection_pool import ConnectionPool, PoolExhausted


class FakeConnection:
    """Knows whether it is closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def pool_of(size: int, connect: Callable[[], FakeConnection] = FakeConnection) -> ConnectionPool:
    return ConnectionPool(connect, size, patience_s=0.05)


def test_the_connection_used_last_is_lent_first() -> None:
    pool = pool_of(2)
    first, second = pool.take(), pool.take()
    assert first.connection is not second.connection
    pool.give_back(first)
    pool.give_back(second)
    assert pool.take().connection is second.connection


def test_nobody_gets_more_than_the_size_and_who_waits_gets_what_comes_back() -> None:
    pool = pool_of(1)
    lease = pool.take()
    with pytest.raises(PoolExhausted):
        pool.take()
    patient = ConnectionPool(FakeConnection, 1, patience_s=10)
    lent = patient.take()
    got: list[object] = []
    waiting = threading.Thread(target=lambda: got.append(patient.take().connection))
    waiting.start()
    patient.give_back(lent)
    waiting.join(10)
    assert got == [lent.connection]
    pool.give_back(lease)


def test_a_dead_connection_takes_the_idle_ones_with_it_and_frees_its_place() -> None:
    pool = pool_of(2)
    idle, dead = pool.take(), pool.take()
    pool.give_back(idle)
    pool.drop(dead)
    assert idle.connection.is_closed and dead.connection.is_closed
    assert not pool.take().connection.is_closed
    assert not pool.take().connection.is_closed


def test_a_connection_from_before_the_loss_is_closed_when_it_comes_back_and_newer_ones_stay() -> None:
    pool = pool_of(3)
    old, dead, also_dead = pool.take(), pool.take(), pool.take()
    pool.drop(dead)
    newer = pool.take()
    pool.give_back(newer)
    pool.drop(also_dead)
    pool.give_back(old)
    assert old.connection.is_closed
    assert not newer.connection.is_closed
    assert pool.take().connection is newer.connection


def test_a_failed_attempt_to_connect_keeps_no_place() -> None:
    attempts = iter([OSError("away"), None])

    def connect() -> FakeConnection:
        error = next(attempts)
        if error is not None:
            raise error
        return FakeConnection()

    pool = pool_of(1, connect)
    with pytest.raises(OSError, match="away"):
        pool.take()
    assert not pool.take().connection.is_closed


def test_closing_closes_what_is_idle_now_and_what_comes_back_later() -> None:
    pool = pool_of(2)
    idle, used = pool.take(), pool.take()
    pool.give_back(idle)
    pool.close()
    pool.give_back(used)
    assert idle.connection.is_closed and used.connection.is_closed
