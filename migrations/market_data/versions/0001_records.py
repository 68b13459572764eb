"""Orders, execution reports, trades, settlements and positions, and who may touch them."""

from pathlib import Path

from alembic import context, op

revision = "market_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = Path(__file__).with_name("0001_tables.sql").read_text()

_GRANTS = {
    "market_data_feed": [
        "SELECT ON ALL TABLES IN SCHEMA public",
        "INSERT ON orders, order_reports, trades, settlements, refused_orders, stream_positions",
        "UPDATE ON orders, stream_positions",
    ],
    "order_entry_gateway": ["SELECT ON orders, order_reports, trades"],
}


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.get_bind().exec_driver_sql(_TABLES.replace("%", "%%"))
    op.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for service, grants in _GRANTS.items():
        role = f'"{prefix}_{service}"'
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        for grant in grants:
            op.execute(f"GRANT {grant} TO {role}")


def downgrade() -> None:
    op.execute(
        "DROP TABLE stream_positions, refused_orders, settlements, trades, order_reports, orders"
    )
    op.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
