"""Orders: what of them the book shows, when a stop was elected, and their rare terms. A market
order shows no price.
"""

from alembic import op

revision = "market_0002"
down_revision = "market_0001"
branch_labels = None
depends_on = None

_BEFORE = (
    "Each order as it stands. price_e4: its limit, or a market order's band edge; notional_e4: "
    "sum of its"
    " fills; event_sequence: its newest event. orders_open finds a client's open orders and, at a "
    "start, all."
)
_AFTER = (
    "Each order as it stands. price_e4: its limit, or the band edge of an order without one; "
    "notional_e4: sum"
    " of its fills; event_sequence: its newest event; visible: its shares in the published book; "
    "triggered_us: when a"
    " stop was elected; terms: JSON of its rare terms. orders_open finds a client's open orders "
    "and, at a start, all."
)


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD visible BIGINT, ADD triggered_us BIGINT, ADD terms TEXT")
    op.execute("UPDATE orders SET visible = leaves")
    op.execute("ALTER TABLE orders ALTER visible SET NOT NULL")
    op.execute(
        "UPDATE order_reports SET price_e4 = NULL FROM orders"
        " WHERE orders.order_id = order_reports.order_id AND orders.order_type = 'market'"
    )
    _comment(_AFTER)


def downgrade() -> None:
    op.execute(
        "UPDATE order_reports SET price_e4 = orders.price_e4 FROM orders"
        " WHERE orders.order_id = order_reports.order_id AND order_reports.price_e4 IS NULL"
    )
    op.execute("ALTER TABLE orders DROP visible, DROP triggered_us, DROP terms")
    _comment(_BEFORE)


def _comment(text: str) -> None:
    quoted = text.replace("'", "''")
    op.execute(f"COMMENT ON TABLE orders IS '{quoted}'")
