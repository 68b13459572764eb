"""Refused orders may be forgotten; tables that only grow are vacuumed and frozen in small bites."""

from alembic import context, op

from migrations.storage import APPENDED, reset_storage, set_storage

revision = "market_0004"
down_revision = "market_0003"
branch_labels = None
depends_on = None

_STORAGE = {
    "order_reports": APPENDED,
    "trades": APPENDED,
    "settlements": APPENDED,
    "orders": {"autovacuum_vacuum_scale_factor": 0.05, "autovacuum_freeze_min_age": 0},
}
_BEFORE = (
    "Orders the door refused. Text comes from outside: cut and cleaned; quantity null where too "
    "large."
)
_AFTER = (
    "Orders the door refused, forgotten by age and number. Text comes from outside: cut and "
    "cleaned; quantity"
    " null where too large."
)


def _feed() -> str:
    return f'"{context.config.attributes["role_prefix"]}_market_data_feed"'


def upgrade() -> None:
    op.execute("CREATE INDEX refused_orders_time_us ON refused_orders (time_us)")
    op.execute(f"COMMENT ON TABLE refused_orders IS '{_AFTER}'")
    op.execute(f"GRANT DELETE ON refused_orders TO {_feed()}")
    for table, storage in _STORAGE.items():
        set_storage(table, storage)


def downgrade() -> None:
    for table, storage in _STORAGE.items():
        reset_storage(table, storage)
    op.execute(f"REVOKE DELETE ON refused_orders FROM {_feed()}")
    op.execute(f"COMMENT ON TABLE refused_orders IS '{_BEFORE}'")
    op.execute("DROP INDEX refused_orders_time_us")
