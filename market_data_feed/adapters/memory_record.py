"""The record in one process, for tests, the simulation and back-tests.

Tables are dicts by primary key, and their rows are the feed's own structs: nothing is made into
text, which is what most of a write to Postgres costs. A write is all or nothing: its rows are
collected first and put into the tables at the commit.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from market_data_feed.adapters.record_rows import storable_text
from market_data_feed.adapters.record_writer import encoded_terms, refusal_rows
from market_data_feed.adapters.records import OrderRecord, RefusedOrder
from market_data_feed.domain.batch_effect import RecordedTrade, corrected
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.inbox import DueRecord, PositionAdvance
from market_data_feed.domain.orders import BrokenStream, Fold
from market_data_feed.domain.trade_corrections import TradeCorrectionRow, corrections_of
from market_data_feed.domain.trading_phases import SessionRow
from market_data_feed.domain.working_order import WorkingOrder
from market_data_feed.ports import Recorded
from service_runtime.database import DatabaseUnavailable
from venue_protocol import codec
from venue_protocol.events import OrderAccepted
from venue_protocol.settlement import SettlementReport
from venue_storage.memory_clearing_data import Moment, UniqueViolated

T = TypeVar("T")
_OPEN = ("new", "partially_filled")
_REJECTS = ("cancel_rejected", "amend_rejected")


@dataclass
class Tables:
    """The rows of `market_data`, or those of one write."""

    orders: dict[int, OrderRecord] = field(default_factory=dict)
    """By order id."""
    order_reports: dict[tuple[str, int], ExecutionReport] = field(default_factory=dict)
    """By client and event sequence."""
    trades: dict[tuple[str, int], RecordedTrade] = field(default_factory=dict)
    """By security and trade id."""
    settlements: dict[int, SettlementReport] = field(default_factory=dict)
    """By sequence."""
    trade_corrections: dict[tuple[str, int, int], TradeCorrectionRow] = field(default_factory=dict)
    """By security, trade id and sequence."""
    refused_orders: dict[tuple[str, int], RefusedOrder] = field(default_factory=dict)
    """By gateway run and number."""
    session_events: dict[tuple[int, str, str], SessionRow] = field(default_factory=dict)
    """By shard, security and kind."""
    positions: dict[str, int] = field(default_factory=dict)
    """Newest number recorded, by stream."""
    rejected_us: dict[tuple[int, str], int] = field(default_factory=dict)
    """Index of the reports: time of the newest rejected cancel or amend, by order and client."""


class MemoryRecord:
    """A `MarketRecord` in memory, written and read by one thread."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.faults: Callable[[Moment], None] = _nothing_fails
        """Called at each moment at which Postgres or the process may fail; may raise there."""
        self.on_commit: Callable[[], None] = _ignore_commit
        """Called after each commit that wrote something, before the caller knows of it."""

    def load(self, stopping: threading.Event) -> Recorded:
        """What is recorded; waits for the database until `stopping`."""
        return _until_done(self._load, stopping)

    def write(self, due: DueRecord, fold: Fold, stopping: threading.Event) -> None:
        """Record all that is due in one transaction, tried until it is certain.

        BrokenStream where another feed writes this record, UniqueViolated for a row twice.
        """
        _until_done(lambda: self._write(due, fold), stopping)

    def good_trades(
        self, security_ids: set[str], stopping: threading.Event
    ) -> dict[str, RecordedTrade | None]:
        """The newest trade of each security that is not busted, as it stands."""
        return _until_done(lambda: self._good_trades(security_ids), stopping)

    def _good_trades(self, security_ids: set[str]) -> dict[str, RecordedTrade | None]:
        newest = {key[:2]: row for key, row in sorted(self.tables.trade_corrections.items())}
        found: dict[str, RecordedTrade | None] = dict.fromkeys(security_ids)
        for key, trade in sorted(self.tables.trades.items()):
            row = newest.get(key)
            if key[0] not in security_ids or (row is not None and row.status == "busted"):
                continue
            found[key[0]] = trade if row is None else corrected(trade, row)
        return found

    def _load(self) -> Recorded:
        self.faults("begin")
        for _ in range(4):
            self.faults("statement")
        newest: dict[str, RecordedTrade] = {}
        for trade in self.tables.trades.values():
            last = newest.get(trade.security_id)
            if last is None or last.trade_id < trade.trade_id:
                newest[trade.security_id] = trade
        orders = self.tables.orders
        recorded = Recorded(
            dict(self.tables.positions),
            {row.order_id: _working_order(row) for row in orders.values() if row.status in _OPEN},
            list(newest.values()),
            list(self.tables.session_events.values()),
            self._good_trades({key[0] for key in self.tables.trade_corrections}),
            {key[0]: key[1] for key in sorted(self.tables.trade_corrections)},
        )
        self.faults("commit")
        self.faults("committed")
        return recorded

    def _write(self, due: DueRecord, fold: Fold) -> None:
        self.faults("begin")
        moved = [self._is_moved(advance) for advance in due.advances]
        if due.advances and not any(moved):
            self.faults("commit")
            self.faults("committed")
            return
        if not all(moved):
            raise BrokenStream("a part of this record is written already: another feed does it")
        staged = self._staged(due, fold)
        self.faults("commit")
        self._put(staged)
        self.on_commit()
        self.faults("committed")

    def _is_moved(self, advance: PositionAdvance) -> bool:
        """Whether this write moves the position on; False if it was moved already.

        BrokenStream if somebody else moved it elsewhere.
        """
        self.faults("statement")
        recorded = self.tables.positions.get(advance.stream)
        if recorded == (advance.before or None):
            return True
        self.faults("statement")
        if recorded == advance.after:
            return False
        raise BrokenStream(
            f"{advance.stream} is at {recorded}, not {advance.before}: another feed writes this "
            "record"
        )

    def _staged(self, due: DueRecord, fold: Fold) -> Tables:
        """The rows of one write, in the order of the statements that Postgres would be sent."""
        staged = Tables()
        touched = fold.touched
        for event, at in fold.accepted:
            staged.orders[event.order_id] = _new_order(event, at, touched[event.order_id])
        self._insert("orders", staged.orders, len(fold.accepted))
        self._stage_reports(fold, staged)
        trades = [trade for effect in fold.effects for trade in effect.trades]
        staged.trades = {(trade.security_id, trade.trade_id): trade for trade in trades}
        self._insert("trades", staged.trades, len(trades))
        staged.settlements = {report.sequence: report for report in due.settlements}
        self._insert("settlements", staged.settlements, len(due.settlements))
        rows = corrections_of(due.settlements)
        staged.trade_corrections = {row[:3]: row for row in rows}
        self._insert("trade_corrections", staged.trade_corrections, len(rows))
        if len(touched) > len(fold.accepted):
            self._stage_changes(fold, staged)
        if fold.session:
            self.faults("statement")
            staged.session_events = fold.session
        if due.refusals:
            self.faults("statement")
            for row in refusal_rows(due.refusals):
                refused = RefusedOrder(*row)
                key = (refused.gateway_run, refused.number)
                if key not in self.tables.refused_orders:
                    staged.refused_orders.setdefault(key, refused)
        for advance in due.advances:
            staged.positions[advance.stream] = advance.after
        return staged

    def _insert(self, table: str, rows: Mapping[Any, object], count: int) -> None:
        """Refuse a key that stands there already, or that came twice among `count` rows."""
        if not count:
            return
        self.faults("statement")
        stored: dict[Any, object] = getattr(self.tables, table)
        if len(rows) != count or not stored.keys().isdisjoint(rows):
            twice = next((key for key in rows if key in stored), "a key of this write")
            raise UniqueViolated(f"{table}_pkey", twice)

    def _stage_reports(self, fold: Fold, staged: Tables) -> None:
        rows, rejected_us, count = staged.order_reports, staged.rejected_us, 0
        for effect in fold.effects:
            count += len(effect.reports)
            for report in effect.reports:
                rows[report.client_id, report.event_sequence] = report
                if report.kind in _REJECTS and report.order_id is not None:
                    key = (report.order_id, report.client_id)
                    known_us = self.tables.rejected_us.get(key, 0)
                    rejected_us[key] = max(report.time_us, known_us, staged.rejected_us.get(key, 0))
        self._insert("order_reports", rows, count)

    def _stage_changes(self, fold: Fold, staged: Tables) -> None:
        """Orders of earlier writes as they stand now."""
        self.faults("statement")
        newer = changed = 0
        for order_id, order in fold.touched.items():
            if order_id in staged.orders:
                continue
            changed += 1
            row = self.tables.orders.get(order_id)
            if row is None or row.event_sequence >= order.event_sequence:
                newer += 1
            else:
                staged.orders[order_id] = _changed_order(row, order, order_id in fold.adjusted)
        if newer:
            raise BrokenStream(f"{newer} of {changed} orders have a newer record")

    def _put(self, staged: Tables) -> None:
        tables = self.tables
        tables.orders.update(staged.orders)
        tables.order_reports.update(staged.order_reports)
        tables.trades.update(staged.trades)
        tables.settlements.update(staged.settlements)
        tables.trade_corrections.update(staged.trade_corrections)
        tables.refused_orders.update(staged.refused_orders)
        tables.session_events.update(staged.session_events)
        tables.positions.update(staged.positions)
        tables.rejected_us.update(staged.rejected_us)


def _until_done(attempt: Callable[[], T], stopping: threading.Event) -> T:
    """The result of `attempt`, which is safe to repeat, tried until it commits.

    DatabaseUnavailable only when `stopping` is set meanwhile.
    """
    while True:
        try:
            return attempt()
        except DatabaseUnavailable:
            if stopping.is_set():
                raise


def _new_order(event: OrderAccepted, accepted_us: int, order: WorkingOrder) -> OrderRecord:
    """The row of an order that is new in this write, in its final state."""
    return OrderRecord(
        order.order_id,
        order.client_id,
        storable_text(event.client_order_id),
        order.security_id,
        order.side,
        event.order_type,
        event.time_in_force,
        order.quantity,
        order.price_e4,
        order.filled,
        order.leaves,
        order.notional_e4,
        order.status,
        order.reason,
        accepted_us,
        order.updated_us,
        order.event_sequence,
        order.visible,
        order.triggered_us,
        encoded_terms(order.terms),
        None if event.fees is None else codec.encode(event.fees).decode(),
    )


def _changed_order(row: OrderRecord, order: WorkingOrder, is_adjusted: bool) -> OrderRecord:
    """The row with what events change of an order."""
    return OrderRecord(
        row.order_id,
        row.client_id,
        row.client_order_id,
        order.security_id,
        row.side,
        row.order_type,
        row.time_in_force,
        order.quantity,
        order.price_e4,
        order.filled,
        order.leaves,
        order.notional_e4,
        order.status,
        order.reason,
        row.accepted_us,
        order.updated_us,
        order.event_sequence,
        order.visible,
        order.triggered_us,
        encoded_terms(order.terms) if is_adjusted else row.terms,
        row.fees,
    )


def _working_order(row: OrderRecord) -> WorkingOrder:
    return WorkingOrder(
        row.order_id,
        row.client_id,
        row.security_id,
        row.side,
        row.price_e4,
        row.quantity,
        row.filled,
        row.leaves,
        row.notional_e4,
        row.event_sequence,
        row.status,
        row.reason,
        row.updated_us,
        row.client_order_id,
        row.order_type,
        row.visible,
        row.triggered_us,
        codec.decode_terms(row.terms),
    )


def _nothing_fails(moment: Moment) -> None:
    """A database that is always there."""


def _ignore_commit() -> None:
    """For a record whose commits nobody waits for."""
