"""What stands on record, read as rows, and what should."""

from typing import Any

from market_data_feed.domain.orders import Fold
from tests.integration.market_data_feed.conftest import Clearing
from tests.unit.market_data_feed.tape import Tape

_TABLES = {
    "orders": "order_id",
    "order_reports": "client_id, event_sequence",
    "trades": "security_id, trade_id",
    "settlements": "sequence",
    "refused_orders": "gateway_run, number",
    "stream_positions": "stream",
}


def dump(clearing: Clearing) -> dict[str, list[tuple[Any, ...]]]:
    """Everything on record."""
    return {
        table: clearing.recorded(f"SELECT * FROM {table} ORDER BY {key}")
        for table, key in _TABLES.items()
    }


def assert_record_equals(clearing: Clearing, tape: Tape) -> None:
    """The record is the one of an undisturbed run: the tape folded once from the start."""
    fold = Fold({})
    for batch in tape.batches:
        fold.apply(batch, batch.first)
    states = clearing.recorded(
        "SELECT order_id, status, filled, leaves, quantity, event_sequence FROM orders ORDER BY 1"
    )
    assert states == [
        (o.order_id, o.status, o.filled, o.leaves, o.quantity, o.event_sequence)
        for o in sorted(fold.touched.values(), key=lambda o: o.order_id)
    ]
    reports = clearing.recorded(
        "SELECT event_sequence, client_id, kind, status, leaves FROM order_reports ORDER BY 1, 2"
    )
    assert reports == sorted(
        (r.event_sequence, r.client_id, r.kind, r.status, r.leaves)
        for e in fold.effects
        for r in e.reports
    )
    trades = clearing.recorded(
        "SELECT event_sequence, trade_id, price_e4, quantity FROM trades ORDER BY 1"
    )
    assert trades == [
        (t.event_sequence, t.trade_id, t.price_e4, t.quantity)
        for e in fold.effects
        for t in e.trades
    ]
