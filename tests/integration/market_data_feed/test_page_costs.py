"""A page of a client's list costs what it shows, however much others did since."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from market_data_feed.adapters.records import NEWEST, NEWEST_REFUSAL, Records
from order_entry_gateway.adapters.order_status_store import OrderStatusStore
from service_runtime.database import Cursor, Database
from tests.integration.market_data_feed.conftest import Clearing, fresh_clearing

OLD, NEW = 30_000, 40_000
"""Rows of `old`, and the rows of `new` that came after them."""
_CLIENT = f"CASE WHEN n <= {OLD} THEN 'old' ELSE 'new' END"
_FILL = f"""
INSERT INTO orders (order_id, client_id, security_id, side, order_type, time_in_force, quantity,
    price_e4, filled, leaves, notional_e4, status, accepted_us, updated_us, event_sequence, visible)
SELECT n, {_CLIENT}, 'AAPL', 'BUY', 'limit', 'GTC', 1, 1, 0, 0, 0, 'canceled', n, n, n, 0
FROM generate_series(1, {OLD + NEW}) AS n;
INSERT INTO settlements
SELECT n, CASE WHEN n <= {NEW} THEN 'new' WHEN mod(n, 2) = 0 THEN 'old' ELSE 'odd' END, n,
    repeat('x', 400)
FROM generate_series(1, {OLD + NEW}) AS n;
INSERT INTO refused_orders (gateway_run, number, client_id, reason, message, time_us)
SELECT 'run', n, {_CLIENT}, 'x', 'x', n FROM generate_series(1, {OLD + NEW}) AS n;
ANALYZE
"""


class Explained(Database):
    """Counts the pages of the database that statements looked at."""

    buffers = 0

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        with super().transaction() as cursor:
            yield _ExplainingCursor(cursor, self)


class _ExplainingCursor:
    def __init__(self, cursor: Cursor, database: Explained) -> None:
        self._cursor, self._database = cursor, database

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def fetchall(self) -> Any:
        return self._cursor.fetchall()

    def execute(self, statement: str, values: Any) -> None:
        self._cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, values)
        plan = self._cursor.fetchone()[0][0]["Plan"]
        self._database.buffers += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        self._cursor.execute(statement, values)


@pytest.fixture(scope="module")
def market(postgres_url: str) -> Iterator[Explained]:
    with fresh_clearing(postgres_url) as clearing:
        fill(clearing)
        database = Explained(clearing.provisioned.market_url("market_data_feed"), "test", 1)
        yield database
        database.close()


def fill(clearing: Clearing) -> None:
    """Rows of both clients."""
    for statement in _FILL.split(";"):
        clearing.recorded(statement)


@pytest.mark.parametrize(
    "read",
    [
        lambda records: records.orders("old", False, NEWEST, 11),
        lambda records: records.orders("old", False, OLD, 11),
        lambda records: records.settlement_texts("old", 0, 11),
        lambda records: records.settlement_texts("old", NEW + 5, 11),
        lambda records: records.refused_orders("old", NEWEST_REFUSAL, 11),
    ],
    ids=["orders", "older orders", "settlements", "later settlements", "refused orders"],
)
def test_a_page_of_old_rows_does_not_pass_the_newer_ones_of_others(
    market: Explained, read: Callable[[Records], list[Any]]
) -> None:
    market.buffers = 0
    assert len(read(Records(market))) == 11
    assert market.buffers < 100


def test_the_gateways_list_of_orders_does_not_either(market: Explained) -> None:
    market.buffers = 0
    OrderStatusStore(_NoLog(), market).orders("old", False, NEWEST, 11)  # type: ignore[arg-type]
    assert 0 < market.buffers < 100


class _NoLog:
    """A log in which nothing is found: what the record said is what is tried here."""

    @contextmanager
    def transaction(self) -> Iterator["_NoLog"]:
        yield self

    def execute(self, _statement: str, _values: Any) -> None:
        pass

    def fetchall(self) -> list[Any]:
        return []
