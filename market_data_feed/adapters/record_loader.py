"""Reading the record at a start: positions, open orders, last trades."""

from typing import Any

import msgspec

from market_data_feed.adapters.trade_rows import good_trades, newest_corrected
from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.trading_phases import SessionEvent, SessionRow
from market_data_feed.domain.working_order import WorkingOrder
from market_data_feed.ports import Recorded
from service_runtime.database import Cursor
from venue_protocol import codec

_OPEN_ORDERS = """
SELECT order_id, client_id, security_id, side, price_e4, quantity, filled, leaves, notional_e4,
event_sequence,
    status, reason, updated_us, client_order_id, order_type, visible, triggered_us, terms
FROM orders WHERE status IN ('new', 'partially_filled')
"""

# A loose index scan: one step a security, however long the tape is.
_LAST_TRADES = """
WITH RECURSIVE traded(security_id) AS (
    SELECT min(security_id) FROM trades
    UNION ALL
    SELECT (SELECT min(t.security_id) FROM trades AS t WHERE t.security_id > traded.security_id)
    FROM traded WHERE traded.security_id IS NOT NULL
)
SELECT last.* FROM traded CROSS JOIN LATERAL (
    SELECT event_sequence, time_us, trade_id, security_id, price_e4, quantity, aggressor,
    buy_order_id, buy_client_id,
        sell_order_id, sell_client_id
    FROM trades WHERE trades.security_id = traded.security_id ORDER BY trade_id DESC LIMIT 1
) AS last
"""


_decode_session = msgspec.json.Decoder(SessionEvent).decode


def load(cursor: Cursor) -> Recorded:
    """Positions, open orders and last trades; one writer, so they belong together."""
    cursor.execute("SELECT stream, sequence FROM stream_positions")
    positions = dict(cursor.fetchall())
    cursor.execute(_OPEN_ORDERS)
    working = {row[0]: _working_order(row) for row in cursor}
    cursor.execute(_LAST_TRADES)
    last_trades = [RecordedTrade(*row) for row in cursor]
    cursor.execute(
        "SELECT shard, security_id, kind, event, time_us, event_sequence FROM session_events"
    )
    session = [
        SessionRow(shard, security_id, kind, _decode_session(event), time_us, sequence)
        for shard, security_id, kind, event, time_us, sequence in cursor
    ]
    corrected = newest_corrected(cursor)
    good = good_trades(cursor, corrected)
    return Recorded(positions, working, last_trades, session, good, corrected)


def _working_order(row: tuple[Any, ...]) -> WorkingOrder:
    order = WorkingOrder(*row[:-1])
    order.terms = codec.decode_terms(row[-1])
    return order
