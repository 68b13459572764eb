"""`market_data` in memory: it understands the statements of the feed's recorder, and no others.

The tables, their keys and their columns are those of the schema. A statement that is not known is
an error, so a change of the recorder is noticed here at once.
"""

import io
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from order_entry_gateway.domain.recorded_order import RecordedOrder
from service_runtime.database import DatabaseUnavailable
from venue_storage.market_data import metadata
from venue_storage.memory_clearing_data import ConstraintViolated, Moment

T = TypeVar("T")
Row = dict[str, Any]

_COLUMNS = {
    table.name: [column.name for column in table.columns] for table in metadata.sorted_tables
}
_KEYS = {
    table.name: [column.name for column in table.primary_key] for table in metadata.sorted_tables
}
_WHOLE = {
    table.name: {column.name for column in table.columns if column.type.python_type is int}
    for table in metadata.sorted_tables
}
_UNESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


class MemoryMarket:
    """The database of the feed: one connection, transactions all or nothing."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Any, Row]] = {name: {} for name in _COLUMNS}
        self.faults: Callable[[Moment], None] = lambda moment: None
        self.on_commit: Callable[[], None] = lambda: None

    @contextmanager
    def transaction(self) -> Iterator["MarketCursor"]:
        """A cursor in one transaction."""
        self.faults("begin")
        cursor = MarketCursor(self.tables, self.faults)
        try:
            yield cursor
            self.faults("commit")
        except BaseException:
            cursor.roll_back()
            raise
        self.on_commit()
        self.faults("committed")

    def run(
        self, work: Callable[["MarketCursor"], T], stopping: threading.Event | None = None
    ) -> T:
        """The result of `work`, tried until it commits."""
        while True:
            try:
                with self.transaction() as cursor:
                    return work(cursor)
            except DatabaseUnavailable:
                if stopping is not None and stopping.is_set():
                    raise

    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """For the door: how these orders stand, where they are recorded."""
        found = [
            row
            for order_id in order_ids
            if (row := self.tables["orders"].get(order_id)) is not None
        ]
        return {row["order_id"]: self._recorded_order(row) for row in found}

    def _recorded_order(self, row: Row) -> RecordedOrder:
        answered = [
            report["time_us"]
            for report in self.tables["order_reports"].values()
            if (report["order_id"], report["client_id"]) == (row["order_id"], row["client_id"])
            and report["kind"] in ("cancel_rejected", "amend_rejected")
        ]
        known_us = max([row["updated_us"], *answered])
        return RecordedOrder(
            row["order_id"],
            row["client_id"],
            row["status"],
            row["quantity"],
            row["price_e4"],
            known_us,
        )

    def order(self, order_id: int) -> tuple[str, dict[str, Any]] | None:
        """For the door: owner and description of one order."""
        row = self.tables["orders"].get(order_id)
        return (row["client_id"], dict(row)) if row is not None else None

    def position(self, stream: str) -> int:
        """Newest number recorded of a stream."""
        row = self.tables["stream_positions"].get(stream)
        return row["sequence"] if row else 0


class MarketCursor:
    """As much of a psycopg2 cursor as the recorder uses."""

    def __init__(self, tables: dict[str, dict[Any, Row]], faults: Callable[[Moment], None]) -> None:
        self._tables = tables
        self._faults = faults
        self._undo: list[tuple[str, Any, Row | None]] = []
        self._rows: list[tuple[Any, ...]] = []
        self._text = ""
        """The statement that runs, its white space made one."""
        self.rowcount = -1

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run one of the statements known."""
        self._faults("statement")
        self._text = " ".join(statement.split())
        for beginning, action in _STATEMENTS:
            if self._text.startswith(beginning):
                action(self, parameters)
                return
        raise NotImplementedError(f"MemoryMarket does not know this statement: {self._text}")

    def copy_expert(self, statement: str, rows: io.StringIO, size: int = 0) -> None:
        """COPY into a table, all its columns."""
        self._faults("statement")
        table = statement.removeprefix("COPY ").removesuffix(" FROM STDIN")
        for line in rows.getvalue().splitlines():
            values = [_value(field) for field in line.split("\t")]
            row = dict(zip(_COLUMNS[table], values, strict=True))
            self._insert(table, {name: _typed(table, name, value) for name, value in row.items()})

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows left."""
        rows, self._rows = self._rows, []
        return rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def roll_back(self) -> None:
        """Undo everything."""
        for table, key, row in reversed(self._undo):
            if row is None:
                del self._tables[table][key]
            else:
                self._tables[table][key] = row

    def _put(self, table: str, row: Row) -> None:
        key = _key(table, row)
        self._undo.append((table, key, self._tables[table].get(key)))
        self._tables[table][key] = row

    def _insert(self, table: str, row: Row) -> None:
        if _key(table, row) in self._tables[table]:
            raise ConstraintViolated(f"{table} has {_key(table, row)} already")
        self._put(table, row)

    def _insert_position(self, parameters: Sequence[Any]) -> None:
        stream, sequence = parameters
        self.rowcount = int(stream not in self._tables["stream_positions"])
        if self.rowcount:
            self._put("stream_positions", {"stream": stream, "sequence": sequence})

    def _update_position(self, parameters: Sequence[Any]) -> None:
        after, stream, before = parameters
        row = self._tables["stream_positions"].get(stream)
        self.rowcount = int(row is not None and row["sequence"] == before)
        if self.rowcount:
            self._put("stream_positions", {"stream": stream, "sequence": after})

    def _select_position(self, parameters: Sequence[Any]) -> None:
        row = self._tables["stream_positions"].get(parameters[0])
        self._rows = [(row["sequence"],)] if row else []

    def _select_positions(self, parameters: Sequence[Any]) -> None:
        self._rows = [
            (row["stream"], row["sequence"]) for row in self._tables["stream_positions"].values()
        ]

    def _select_open_orders(self, parameters: Sequence[Any]) -> None:
        rows = self._tables["orders"].values()
        self._select(
            "orders", [row for row in rows if row["status"] in ("new", "partially_filled")]
        )

    def _select_last_trades(self, parameters: Sequence[Any]) -> None:
        newest = {row["security_id"]: row for _, row in sorted(self._tables["trades"].items())}
        self._select("trades", list(newest.values()))

    def _select(self, table: str, rows: Sequence[Row]) -> None:
        """Answer with the columns that the statement names."""
        names = re.findall(rf"SELECT ([a-z0-9_, ]+) FROM {table}\b", self._text)[-1].split(", ")
        self._rows = [tuple(row[name] for name in names) for row in rows]

    def _update_orders(self, parameters: Sequence[Any]) -> None:
        self.rowcount = 0
        names = re.findall(r"AS n\(([a-z0-9_, ]+)\)", self._text)[0].split(", ")
        columns = [array[1:-1].split(",") for array in parameters]
        for values in zip(*columns, strict=True):
            new = {
                name: _typed("orders", name, None if value == "NULL" else value)
                for name, value in zip(names, values, strict=True)
            }
            row = self._tables["orders"].get(new["order_id"])
            if row is not None and row["event_sequence"] < new["event_sequence"]:
                self._put("orders", row | new)
                self.rowcount += 1

    def _put_session_events(self, parameters: Sequence[Any]) -> None:
        for values in zip(*parameters, strict=True):
            self._put("session_events", dict(zip(_COLUMNS["session_events"], values, strict=True)))

    def _select_session_events(self, parameters: Sequence[Any]) -> None:
        self._select("session_events", list(self._tables["session_events"].values()))

    def _insert_refusals(self, parameters: Sequence[Any]) -> None:
        for values in zip(*parameters, strict=True):
            row = dict(zip(_COLUMNS["refused_orders"], values, strict=True))
            if _key("refused_orders", row) not in self._tables["refused_orders"]:
                self._put("refused_orders", row)


_STATEMENTS: list[tuple[str, Callable[[MarketCursor, Sequence[Any]], None]]] = [
    (
        "INSERT INTO stream_positions VALUES (%s, %s) ON CONFLICT DO NOTHING",
        MarketCursor._insert_position,
    ),
    (
        "UPDATE stream_positions SET sequence = %s WHERE stream = %s AND",
        MarketCursor._update_position,
    ),
    ("SELECT sequence FROM stream_positions WHERE stream = %s", MarketCursor._select_position),
    ("SELECT stream, sequence FROM stream_positions", MarketCursor._select_positions),
    (
        "SELECT order_id, client_id, security_id, side, price_e4, quantity, filled,",
        MarketCursor._select_open_orders,
    ),
    ("WITH RECURSIVE traded(security_id) AS", MarketCursor._select_last_trades),
    ("UPDATE orders AS o SET quantity = n.quantity,", MarketCursor._update_orders),
    ("INSERT INTO session_events AS s SELECT * FROM unnest(", MarketCursor._put_session_events),
    ("SELECT shard, security_id, kind, event,", MarketCursor._select_session_events),
    ("INSERT INTO refused_orders SELECT * FROM unnest(", MarketCursor._insert_refusals),
]


def _key(table: str, row: Row) -> Any:
    names = _KEYS[table]
    return row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)


def _value(field: str) -> str | None:
    if field == r"\N":
        return None
    if "\\" in field:
        for escaped, plain in _UNESCAPES.items():
            field = field.replace(escaped, plain)
    return field


def _typed(table: str, column: str, value: str | None) -> str | int | None:
    return int(value) if value is not None and column in _WHOLE[table] else value
