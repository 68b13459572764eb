"""Times at which orders expire, and at which all orders of a client are canceled."""

from alembic import context, op

revision = "clearing_0004"
down_revision = "clearing_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    role = f'"{context.config.attributes["role_prefix"]}_order_entry_gateway"'
    op.execute(
        "CREATE TABLE order_expiries ("
        " shard SMALLINT NOT NULL, expires_us BIGINT NOT NULL, PRIMARY KEY (shard, expires_us))"
    )
    op.execute(
        "COMMENT ON TABLE order_expiries IS 'Owner: gateway. Times at which orders of a shard are "
        "due to expire and"
        " the log has not passed yet.'"
    )
    op.execute(
        "CREATE TABLE cancel_timers ("
        " timer TEXT NOT NULL, client_id TEXT NOT NULL, due_us BIGINT NOT NULL, PRIMARY KEY "
        "(timer),"
        " FOREIGN KEY(client_id) REFERENCES clients (client_id))"
    )
    op.execute("CREATE INDEX cancel_timers_due_us ON cancel_timers (due_us)")
    op.execute(
        "COMMENT ON TABLE cancel_timers IS 'Owner: gateway. When all open orders of a client are "
        "canceled, unless its"
        " timer is set again before: a dead man''s switch, or the end of a WebSocket that asked "
        "for it.'"
    )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON order_expiries TO {role}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON cancel_timers TO {role}")


def downgrade() -> None:
    op.execute("DROP TABLE order_expiries, cancel_timers")
