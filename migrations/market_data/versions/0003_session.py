"""The trading day in the record; auction trades have no aggressor."""

from alembic import context, op

revision = "market_0003"
down_revision = "market_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute(
        "CREATE TABLE session_events ("
        " shard smallint NOT NULL, security_id text NOT NULL, kind text NOT NULL, event text NOT "
        "NULL,"
        " time_us bigint NOT NULL, event_sequence bigint NOT NULL,"
        " CONSTRAINT session_events_pkey PRIMARY KEY (shard, security_id, kind))"
    )
    op.execute(
        "COMMENT ON TABLE session_events IS 'The newest phase, indication and limit state (JSON) "
        "of each security;"
        " security_id is empty for a whole shard. Taken in the order of event_sequence they give "
        "the session.'"
    )
    op.execute("ALTER TABLE trades ALTER aggressor DROP NOT NULL")
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON session_events TO "{prefix}_market_data_feed"')


def downgrade() -> None:
    op.execute("DROP TABLE session_events")
    op.execute("UPDATE trades SET aggressor = 'BUY' WHERE aggressor IS NULL")
    op.execute("ALTER TABLE trades ALTER aggressor SET NOT NULL")
