"""A player's round as CSV: orders, fills, settlement reports, equity curve."""

import csv
import io
from collections.abc import Iterable, Sequence

from market_data_feed.domain.execution_report import ExecutionReport
from venue_competition.scoring import EquityPoint
from venue_protocol.money import format_e4
from venue_protocol.settlement import SettlementReport

Cell = int | str | None

_ORDER_COLUMNS = (
    "order_id client_order_id security side price quantity filled status reason first_us last_us"
)
_FILL_COLUMNS = "trade_id order_id client_order_id security side price quantity role time_us"
_SETTLEMENT_COLUMNS = (
    "client_sequence time_us kind security cash shares balance holding trade_id order_id memo hash"
)
_EQUITY_COLUMNS = "time_us cash shares_value equity inventory"


def table(columns: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """CSV with a heading. A text that a spreadsheet would take for a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.split())
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: Cell) -> Cell:
    """A text as a text; amounts of money begin with a digit or with minus and a digit."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "@", "-", "\t", "\r"):
        is_amount = cell[0] == "-" and cell[1:2].isdigit()
        return cell if is_amount else f"'{cell}"
    return cell


def orders(reports: Sequence[ExecutionReport]) -> bytes:
    """One line an order, as its newest report left it."""
    first: dict[int, ExecutionReport] = {}
    last: dict[int, ExecutionReport] = {}
    for report in reports:
        if report.order_id is None or report.kind in ("cancel_rejected", "amend_rejected"):
            continue
        first.setdefault(report.order_id, report)
        last[report.order_id] = report
    return table(_ORDER_COLUMNS, (_order(each, last[order_id]) for order_id, each in first.items()))


def _order(first: ExecutionReport, last: ExecutionReport) -> tuple[Cell, ...]:
    return (
        first.order_id,
        first.client_order_id,
        first.security_id,
        first.side,
        _money(last.price_e4),
        last.quantity,
        last.filled,
        last.status,
        last.reason,
        first.time_us,
        last.time_us,
    )


def fills(reports: Sequence[ExecutionReport]) -> bytes:
    """One line a fill."""
    return table(
        _FILL_COLUMNS,
        (
            (
                report.trade_id,
                report.order_id,
                report.client_order_id,
                report.security_id,
                report.side,
                _money(report.last_price_e4),
                report.last_quantity,
                _role(report.is_aggressor),
                report.time_us,
            )
            for report in reports
            if report.kind == "trade"
        ),
    )


def settlements(reports: Sequence[SettlementReport]) -> bytes:
    """One line a report, with the hash that chains it to the one before."""
    return table(
        _SETTLEMENT_COLUMNS,
        (
            (
                report.client_sequence,
                report.time_us,
                report.settlement_kind,
                report.security_id,
                format_e4(report.cash_e4),
                report.shares,
                format_e4(report.balance_e4),
                report.holding,
                report.trade_id,
                report.order_id,
                report.memo,
                report.hash,
            )
            for report in reports
        ),
    )


def equity(curve: Sequence[EquityPoint]) -> bytes:
    """One line a point."""
    return table(
        _EQUITY_COLUMNS,
        (
            (
                point.time_us,
                format_e4(point.cash_e4),
                format_e4(point.shares_value_e4),
                format_e4(point.equity_e4),
                format_e4(point.inventory_e4),
            )
            for point in curve
        ),
    )


def _money(amount_e4: int | None) -> str | None:
    return None if amount_e4 is None else format_e4(amount_e4)


def _role(is_aggressor: bool | None) -> str:
    return "auction" if is_aggressor is None else "taker" if is_aggressor else "maker"
