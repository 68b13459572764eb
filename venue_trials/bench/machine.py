"""What this machine's broker and database can do by themselves, measured in the same run: figures
become ratios.
"""

import time
from contextlib import closing
from typing import Any

import msgspec
import psycopg2
from psycopg2 import sql

from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.copy_text import copy_text

_QUEUE = "bench_limits"
_DATABASE = "bench_limits"
_ROWS_A_TRANSACTION = 500
_ROW_TEXT = (
    '{"kind":"place_order","client_id":"bench.1",'
    '"security_id":"BENCH.1","side":"BUY","quantity":50}'
) * 2
_RECEIVE_S = 0.5


class MachineLimits(msgspec.Struct, frozen=True):
    """Rates a second."""

    message_bytes: int
    messages: float
    """Persistent messages of that size through one queue: published with confirms, consumed and
    acknowledged.
    """
    transactions: float
    """Transactions of one client, one row updated in each."""
    rows_copied: float
    """Rows of 200 bytes into a table with two indexes, by COPY, 500 a transaction."""
    rows_updated: float
    """Rows updated by arrays (unnest), 500 a transaction."""


def measure(
    broker_url: str, postgres_url: str, message_bytes: int, seconds: float
) -> MachineLimits:
    """The limits, each measured for about `seconds`. The servers must be ours alone."""
    messages = _messages(broker_url, message_bytes, seconds)
    with closing(psycopg2.connect(postgres_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        try:
            transactions, copied, updated = _database(postgres_url, seconds)
        finally:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(_DATABASE)))
    return MachineLimits(message_bytes, messages, transactions, copied, updated)


def _messages(broker_url: str, size: int, seconds: float) -> float:
    """Messages a second that come through, while one thread publishes and consumes by turns."""
    bus = RabbitBus(broker_url, "bench_limits")
    bus.declare([_QUEUE])
    with closing(bus):
        publisher, consumer = bus.publisher(), bus.consumer(_QUEUE, prefetch=1_000)
        body = b"x" * size
        burst = max(20, min(500, 2_000_000 // size))
        _through(publisher, consumer, body, burst)
        started, count = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            _through(publisher, consumer, body, burst)
            count += burst
        return count / (time.monotonic() - started)


def _through(publisher: Any, consumer: Any, body: bytes, burst: int) -> None:
    for _ in range(burst):
        publisher.publish(_QUEUE, body)
    publisher.flush(30)
    received = 0
    while received < burst:
        deliveries = consumer.receive(_RECEIVE_S, burst)
        received += len(deliveries)
        if deliveries:
            consumer.ack(deliveries[-1])


def _database(postgres_url: str, seconds: float) -> tuple[float, float, float]:
    parameters = psycopg2.extensions.parse_dsn(postgres_url) | {"dbname": _DATABASE}
    with closing(psycopg2.connect(**parameters)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE accounts (id BIGINT PRIMARY KEY, held BIGINT NOT NULL) WITH (fillfactor "
            "= 80)"
        )
        cursor.execute(
            "INSERT INTO accounts SELECT number, 0 FROM generate_series(1, 1000) AS number"
        )
        cursor.execute(
            "CREATE TABLE log (sequence BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, command "
            "TEXT)"
        )
        connection.commit()
        return (
            _repeat(connection, seconds, 1, lambda turn: _update_one(cursor, turn)),
            _repeat(connection, seconds, _ROWS_A_TRANSACTION, lambda turn: _copy(cursor, turn)),
            _repeat(
                connection, seconds, _ROWS_A_TRANSACTION, lambda turn: _update_many(cursor, turn)
            ),
        )


def _repeat(connection: Any, seconds: float, rows: int, work: Any) -> float:
    """Rows a second, of as many transactions as fit."""
    started, turns = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        work(turns)
        connection.commit()
        turns += 1
    return turns * rows / (time.monotonic() - started)


def _update_one(cursor: Any, turn: int) -> None:
    cursor.execute("UPDATE accounts SET held = held + 1 WHERE id = %s", (turn % 1000 + 1,))


def _copy(cursor: Any, turn: int) -> None:
    first = turn * _ROWS_A_TRANSACTION
    lines = [
        f"{number}\tbench-{number}\t{_ROW_TEXT}\n"
        for number in range(first, first + _ROWS_A_TRANSACTION)
    ]
    copy_text(cursor, "log (sequence, name, command)", lines)


def _update_many(cursor: Any, turn: int) -> None:
    keys = list(range(1, _ROWS_A_TRANSACTION + 1))
    cursor.execute(
        "UPDATE accounts SET held = raised.held FROM unnest(%s::bigint[], %s::bigint[]) AS "
        "raised(id, held)"
        " WHERE accounts.id = raised.id",
        (keys, [turn] * len(keys)),
    )
