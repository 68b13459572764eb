"""Trades as they stand: each row of the tape with the newest of its corrections."""

from collections.abc import Iterable

from market_data_feed.domain.batch_effect import RecordedTrade
from service_runtime.database import Cursor

# One look-up by the key of `trade_corrections` a trade; nearly always it finds nothing.
TRADES = """
SELECT t.event_sequence, t.time_us, t.trade_id, t.security_id, coalesce(c.price_e4, t.price_e4),
    coalesce(c.quantity, t.quantity), t.aggressor, t.buy_order_id, t.buy_client_id,
    t.sell_order_id, t.sell_client_id, coalesce(c.status, 'good')
FROM trades AS t LEFT JOIN LATERAL (
    SELECT price_e4, quantity,
        CASE correction_kind WHEN 'bust' THEN 'busted' ELSE 'corrected' END AS status
    FROM trade_corrections AS c
    WHERE c.security_id = t.security_id AND c.trade_id = t.trade_id
    ORDER BY c.sequence DESC LIMIT 1
) AS c ON true
"""
_NEWEST_GOOD = (
    TRADES
    + "WHERE t.security_id = %s AND c.status IS DISTINCT FROM 'busted'"
    + " ORDER BY t.trade_id DESC LIMIT 1"
)
_CORRECTED = "SELECT security_id, max(trade_id) FROM trade_corrections GROUP BY security_id"


def good_trades(cursor: Cursor, security_ids: Iterable[str]) -> dict[str, RecordedTrade | None]:
    """The newest trade of each security that is not busted; None where all are."""
    found: dict[str, RecordedTrade | None] = {}
    for security_id in security_ids:
        cursor.execute(_NEWEST_GOOD, (security_id,))
        row = cursor.fetchone()
        found[security_id] = RecordedTrade(*row) if row else None
    return found


def newest_corrected(cursor: Cursor) -> dict[str, int]:
    """The newest trade of each security that was ever busted or corrected."""
    cursor.execute(_CORRECTED)
    return dict(cursor.fetchall())
