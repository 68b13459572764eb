"""The trades of `market_data` that stand: without busted ones, and as they were corrected."""

STANDING_TRADES = """(
    SELECT t.security_id, t.trade_id, t.time_us, coalesce(c.price_e4, t.price_e4) AS price_e4,
        coalesce(c.quantity, t.quantity) AS quantity, t.buy_client_id, t.sell_client_id
    FROM trades AS t LEFT JOIN LATERAL (
        SELECT correction_kind, price_e4, quantity FROM trade_corrections AS c
        WHERE c.security_id = t.security_id AND c.trade_id = t.trade_id
        ORDER BY c.sequence DESC LIMIT 1
    ) AS c ON true
    WHERE c.correction_kind IS DISTINCT FROM 'bust'
) AS standing"""
"""For pages along the tape of a security: one look-up by key a trade, and the order stays."""

ALL_STANDING_TRADES = """(
    SELECT t.security_id, coalesce(c.price_e4, t.price_e4) AS price_e4,
        coalesce(c.quantity, t.quantity) AS quantity, t.buy_client_id, t.sell_client_id
    FROM trades AS t LEFT JOIN (
        SELECT DISTINCT ON (security_id, trade_id) security_id, trade_id, correction_kind,
            price_e4, quantity
        FROM trade_corrections ORDER BY security_id, trade_id, sequence DESC
    ) AS c USING (security_id, trade_id)
    WHERE c.correction_kind IS DISTINCT FROM 'bust'
) AS standing"""
"""For sums over all trades: the corrections, which are few, are read once."""
