"""The feed's record in its two bodies, for its contract."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2

from market_data_feed.adapters.memory_record import MemoryRecord
from market_data_feed.adapters.postgres_record import PostgresRecord
from market_data_feed.adapters.records import NEWEST, NEWEST_REFUSAL, Records
from market_data_feed.ports import MarketRecord
from migrations.provision import Provisioned
from service_runtime.database import Cursor, Database
from venue_storage.market_data import metadata
from venue_storage.memory_clearing_data import Moment, UniqueViolated

CLIENTS = ("alice", "bob", "carol")
SECURITIES = ("AAPL", "MSFT")
_MANY = 100_000


@dataclass
class Body:
    """An empty record, and what a test needs around it."""

    record: MarketRecord
    rows: Callable[[], dict[str, list[Any]]]
    """All rows of CLIENTS and SECURITIES by table, in the feed's own types, in one order."""
    fail_once: Callable[[Exception, Moment], None]
    """Raise this at the next moment of this name."""
    refused: type[Exception]
    """What a row against a constraint raises."""
    close: Callable[[], None]


def memory_body() -> Body:
    """In memory."""
    record = MemoryRecord()
    tables = record.tables

    def rows() -> dict[str, list[Any]]:
        return {
            "orders": [tables.orders[key] for key in sorted(tables.orders)],
            "reports": [tables.order_reports[key] for key in sorted(tables.order_reports)],
            "trades": [tables.trades[key] for key in sorted(tables.trades)],
            "settlements": [tables.settlements[key] for key in sorted(tables.settlements)],
            "refused": sorted(tables.refused_orders.values(), key=lambda row: row.number),
        }

    def fail_once(error: Exception, at: Moment) -> None:
        def strike(moment: Moment) -> None:
            if moment == at:
                record.faults = lambda moment: None
                raise error

        record.faults = strike

    return Body(record, rows, fail_once, UniqueViolated, lambda: None)


def postgres_body(provisioned: Provisioned) -> Body:
    """In the module's database, emptied first."""
    _empty(provisioned.owner_market_url)
    url = provisioned.market_url("market_data_feed")
    database, reading = _FailingDatabase(url, "test", pool_size=1), Database(url, "test")
    records = Records(reading)

    def rows() -> dict[str, list[Any]]:
        orders = [row for name in CLIENTS for row in records.orders(name, False, NEWEST, _MANY)]
        refused = [
            row for name in CLIENTS for row in records.refused_orders(name, NEWEST_REFUSAL, _MANY)
        ]
        return {
            "orders": sorted(orders, key=lambda row: row.order_id),
            "reports": [row for name in CLIENTS for row in records.reports(name, 0, _MANY)],
            "trades": [row for name in SECURITIES for row in records.trades_after(name, 0, _MANY)],
            "settlements": records.settlements(None, 0, _MANY),
            "refused": sorted(refused, key=lambda row: row.number),
        }

    def close() -> None:
        database.close()
        reading.close()

    return Body(PostgresRecord(database), rows, database.fail_once, psycopg2.IntegrityError, close)


class _FailingDatabase(Database):
    """Postgres, lost once where a test wants it."""

    _failure: tuple[Exception, Moment] | None = None

    def fail_once(self, error: Exception, at: Moment) -> None:
        """Raise this at the next moment of this name."""
        self._failure = (error, at)

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """As always, but for the failure."""
        self._strike("begin")
        with super().transaction() as cursor:
            yield cursor
            self._strike("commit")
        self._strike("committed")

    def _strike(self, moment: Moment) -> None:
        if self._failure is not None and self._failure[1] == moment:
            error, self._failure = self._failure[0], None
            raise error


def _empty(owner_url: str) -> None:
    connection = psycopg2.connect(owner_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(table.name for table in metadata.sorted_tables))
    connection.close()
