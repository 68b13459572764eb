"""Compares what the feed recorded, every order, execution report and trade, with what the events
mean.

An order is compared and dropped once it ended, the open ones at the end: memory is bounded by open
orders.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from market_data_feed.domain.batch_effect import BatchEffect, RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.trading_phases import SessionRow
from market_data_feed.domain.working_order import WorkingOrder
from venue_audit.differences import EVENTS, Differences
from venue_audit.snapshot import Row, Snapshot
from venue_protocol import codec
from venue_protocol.events import EventBatch
from venue_protocol.identifiers import shard_and_number

_EVENTS_A_LOOKUP = 4_000
_ROWS_A_LOOKUP = 2_000


@dataclass(frozen=True)
class Table:
    """A table of market_data and how the audit reads it: by key, the key columns first."""

    name: str
    what: str
    keys: Mapping[str, str]
    """Key columns with their types."""
    columns: tuple[str, ...]

    def select(self) -> str:
        """Rows of the keys given as one array a key column."""
        arrays = ", ".join(f"%s::{kind}[]" for kind in self.keys.values())
        names = ", ".join(self.keys)
        return (
            f"SELECT {', '.join(self.columns)} FROM {self.name}"
            f" JOIN unnest({arrays}) AS wanted({names}) USING ({names})"
        )


ORDERS = Table(
    "orders",
    "order",
    {"order_id": "bigint"},
    (
        "order_id",
        "client_id",
        "client_order_id",
        "security_id",
        "side",
        "order_type",
        "time_in_force",
        "quantity",
        "price_e4",
        "filled",
        "leaves",
        "notional_e4",
        "status",
        "reason",
        "accepted_us",
        "updated_us",
        "event_sequence",
        "visible",
        "triggered_us",
        "terms",
        "fees",
    ),
)
TRADES = Table(
    "trades",
    "trade",
    {"security_id": "text", "trade_id": "bigint"},
    (
        "security_id",
        "trade_id",
        "event_sequence",
        "price_e4",
        "quantity",
        "aggressor",
        "buy_order_id",
        "buy_client_id",
        "sell_order_id",
        "sell_client_id",
        "time_us",
    ),
)
REPORTS = Table(
    "order_reports",
    "execution_report",
    {"client_id": "text", "event_sequence": "bigint"},
    (
        "client_id",
        "event_sequence",
        "order_id",
        "previous_sequence",
        "kind",
        "security_id",
        "side",
        "quantity",
        "price_e4",
        "filled",
        "leaves",
        "status",
        "reason",
        "trade_id",
        "last_quantity",
        "last_price_e4",
        "is_aggressor",
        "time_us",
        "fee_e4",
    ),
)


SESSION = Table(
    "session_events",
    "session",
    {"shard": "smallint", "security_id": "text", "kind": "text"},
    ("shard", "security_id", "kind", "event", "time_us", "event_sequence"),
)


class _Terms(NamedTuple):
    """What an order's row has beside its state."""

    order_type: str
    time_in_force: str
    accepted_us: int
    fees: str | None


class MarketCheck:
    """Folds events as the feed does, up to the position it had recorded, and looks each result
    up.
    """

    def __init__(
        self, market: Snapshot, recorded: Mapping[int, int], differences: Differences
    ) -> None:
        self._market = market
        self._recorded = recorded
        self._differences = differences
        self._working: dict[int, WorkingOrder] = {}
        self._terms: dict[int, _Terms] = {}
        self._fold = Fold(self._working)
        self._waiting = 0
        self._session: dict[tuple[int, str, str], SessionRow] = {}
        self.counts = {ORDERS.what: 0, TRADES.what: 0, REPORTS.what: 0, SESSION.what: 0}

    def take(self, batch: EventBatch) -> None:
        """Fold the part of a batch that the feed has recorded.

        BrokenStream if it contradicts what was before.
        """
        within = self._recorded.get(batch.shard, 0) - batch.first + 1
        if within <= 0:
            return
        if within < len(batch.events):
            batch = msgspec.structs.replace(batch, events=batch.events[:within])
        self._fold.apply(batch, batch.first)
        self._waiting += len(batch.events)
        if self._waiting >= _EVENTS_A_LOOKUP:
            self._flush()

    def finish(self) -> None:
        """Compare the open orders and the numbers of rows: nothing may be stored that the log does
        not give.
        """
        self._flush()
        self._compare_orders(self._working.values())
        self._compare(
            SESSION,
            [
                (*row.key, codec.encode(row.event).decode(), row.time_us, row.event_sequence)
                for row in self._session.values()
            ],
        )
        for table in (ORDERS, TRADES, REPORTS, SESSION):
            stored = self._market.number(f"SELECT count(*) FROM {table.name}")
            self._differences.compare(table.what, "all", "rows", self.counts[table.what], stored)

    def _flush(self) -> None:
        """Compare all that is final now."""
        fold, self._fold, self._waiting = self._fold, Fold(self._working), 0
        self._session.update(fold.session)
        for accepted, time_us in fold.accepted:
            self._terms[accepted.order_id] = _Terms(
                accepted.order_type,
                accepted.time_in_force,
                time_us,
                codec.encode(accepted.fees).decode() if accepted.fees is not None else None,
            )
        self._compare_orders(order for order in fold.touched.values() if not order.leaves)
        self._compare_effects(fold.effects)

    def _compare_orders(self, orders: Iterable[WorkingOrder]) -> None:
        self._compare(
            ORDERS, [_order_row(order, self._terms.pop(order.order_id)) for order in orders]
        )

    def _compare_effects(self, effects: Iterable[BatchEffect]) -> None:
        trades, reports = [], []
        for effect in effects:
            trades += [_trade_row(trade) for trade in effect.trades]
            reports += [_report_row(report) for report in effect.reports]
        self._compare(TRADES, trades)
        self._compare(REPORTS, reports)

    def _compare(self, table: Table, expected: Sequence[Row]) -> None:
        self.counts[table.what] += len(expected)
        width = len(table.keys)
        for start in range(0, len(expected), _ROWS_A_LOOKUP):
            rows = expected[start : start + _ROWS_A_LOOKUP]
            keys = [list(column) for column in zip(*(row[:width] for row in rows), strict=True)]
            found = {row[:width]: row for row in self._market.all(table.select(), keys)}
            for row in rows:
                stored = found.get(row[:width])
                if stored != row:
                    self._note(table, row, stored)

    def _note(self, table: Table, row: Row, stored: Row | None) -> None:
        sequence = shard_and_number(row[table.columns.index("event_sequence")])[1]
        subject = " ".join(map(str, row[: len(table.keys)]))
        if stored is None:
            self._differences.compare(table.what, subject, "row", str(row), None, EVENTS, sequence)
            return
        for column, expected, found in zip(table.columns, row, stored, strict=True):
            self._differences.compare(
                table.what, subject, column, expected, found, EVENTS, sequence
            )


def _order_row(order: WorkingOrder, terms: _Terms) -> Row:
    return (
        order.order_id,
        order.client_id,
        order.client_order_id,
        order.security_id,
        order.side,
        terms.order_type,
        terms.time_in_force,
        order.quantity,
        order.price_e4,
        order.filled,
        order.leaves,
        order.notional_e4,
        order.status,
        order.reason,
        terms.accepted_us,
        order.updated_us,
        order.event_sequence,
        order.visible,
        order.triggered_us,
        codec.encode(order.terms).decode() if order.terms is not None else None,
        terms.fees,
    )


def _trade_row(trade: RecordedTrade) -> Row:
    return (
        trade.security_id,
        trade.trade_id,
        trade.event_sequence,
        trade.price_e4,
        trade.quantity,
        trade.aggressor,
        trade.buy_order_id,
        trade.buy_client_id,
        trade.sell_order_id,
        trade.sell_client_id,
        trade.time_us,
    )


def _report_row(report: ExecutionReport) -> Row:
    return (
        report.client_id,
        report.event_sequence,
        report.order_id,
        report.previous_sequence,
        report.kind,
        report.security_id,
        report.side,
        report.quantity,
        report.price_e4,
        report.filled,
        report.leaves,
        report.status,
        report.reason,
        report.trade_id,
        report.last_quantity,
        report.last_price_e4,
        report.is_aggressor,
        report.time_us,
        report.fee_e4,
    )
