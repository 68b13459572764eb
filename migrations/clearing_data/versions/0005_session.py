"""The trading day: phases commanded, and the schedule."""

from alembic import context, op

revision = "clearing_0005"
down_revision = "clearing_0004"
branch_labels = None
depends_on = None

_PHASES = (
    "'pre_open', 'opening_auction', 'continuous', 'closing_auction', 'closed', 'halted', "
    "'reopening_auction'"
)


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute(
        "CREATE TABLE session_phases ("
        " shard smallint NOT NULL, security_id text NOT NULL, phase text NOT NULL, reason text, "
        "lasts_us bigint,"
        " time_us bigint NOT NULL, sequence bigint NOT NULL,"
        " CONSTRAINT session_phases_pkey PRIMARY KEY (shard, security_id),"
        f" CONSTRAINT session_phases_phase_check CHECK (phase IN ({_PHASES})))"
    )
    op.execute(
        "COMMENT ON TABLE session_phases IS 'Owner: gateway; written in the transaction of the "
        "command."
        " The phase commanded last: of a shard (security_id empty), and of securities that differ "
        "from it.'"
    )
    op.execute(
        "CREATE TABLE session_schedule ("
        " single boolean NOT NULL DEFAULT true, schedule text NOT NULL, done_us bigint NOT NULL,"
        " CONSTRAINT session_schedule_pkey PRIMARY KEY (single),"
        " CONSTRAINT session_schedule_single_check CHECK (single))"
    )
    op.execute(
        "COMMENT ON TABLE session_schedule IS 'Owner: gateway. One row: the schedule as JSON,"
        " and up to when its phases were commanded.'"
    )
    op.execute(
        "CREATE TABLE session_bands ("
        " shard smallint NOT NULL, security_id text NOT NULL, band_bps integer, limit_state_us "
        "bigint NOT NULL,"
        " pause_us bigint NOT NULL, auction_us bigint NOT NULL,"
        " CONSTRAINT session_bands_pkey PRIMARY KEY (shard, security_id),"
        " CONSTRAINT session_bands_band_check CHECK (band_bps > 0 AND band_bps < 10000))"
    )
    op.execute(
        "COMMENT ON TABLE session_bands IS 'Owner: gateway; written in the transaction of the "
        "command."
        " Volatility bands as commanded last; band_bps is null where they were switched off.'"
    )
    op.execute('INSERT INTO session_schedule VALUES (true, \'{"mode":"around_the_clock"}\', 0)')
    gateway = f'"{prefix}_order_entry_gateway"'
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON session_phases, session_bands TO {gateway}")
    op.execute(f"GRANT SELECT, UPDATE ON session_schedule TO {gateway}")
    for service in ("clearinghouse", "market_data_feed"):
        op.execute(
            "GRANT SELECT ON session_phases, session_bands, session_schedule"
            f' TO "{prefix}_{service}"'
        )


def downgrade() -> None:
    op.execute("DROP TABLE session_schedule")
    op.execute("DROP TABLE session_bands")
    op.execute("DROP TABLE session_phases")
