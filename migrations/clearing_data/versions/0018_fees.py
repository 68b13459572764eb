"""The fee schedule, and the clients that are in a tier of their own."""

from alembic import context, op

revision = "clearing_0018"
down_revision = "clearing_0017"
branch_labels = None
depends_on = None

_SCHEDULE = """
CREATE TABLE fee_schedule (
    security_id TEXT NOT NULL,
    tier TEXT NOT NULL,
    maker_bps INTEGER NOT NULL,
    taker_bps INTEGER NOT NULL,
    auction_bps INTEGER NOT NULL,
    CONSTRAINT fee_schedule_pkey PRIMARY KEY (security_id, tier),
    CONSTRAINT fee_schedule_rates_check CHECK (maker_bps BETWEEN -1000 AND 1000
        AND taker_bps BETWEEN -1000 AND 1000 AND auction_bps BETWEEN 0 AND 1000)
)
"""
_SCHEDULE_COMMENT = (
    "Owner: clearinghouse. Rates that later orders carry, basis points of a trade''s value; below"
    " zero: a rebate. security_id is * in a row for all."
)
_TIERS = """
CREATE TABLE fee_tiers (
    client_id TEXT NOT NULL,
    tier TEXT NOT NULL,
    CONSTRAINT fee_tiers_pkey PRIMARY KEY (client_id),
    CONSTRAINT fee_tiers_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id)
)
"""
_TIERS_COMMENT = "Owner: clearinghouse. Clients that are not in the standard tier of fees."


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute(_SCHEDULE)
    op.execute(_TIERS)
    op.execute(f"COMMENT ON TABLE fee_schedule IS '{_SCHEDULE_COMMENT}'")
    op.execute(f"COMMENT ON TABLE fee_tiers IS '{_TIERS_COMMENT}'")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON fee_schedule, fee_tiers"
        f' TO "{prefix}_clearinghouse"'
    )
    for service in ("order_entry_gateway", "market_data_feed"):
        op.execute(f'GRANT SELECT ON fee_schedule, fee_tiers TO "{prefix}_{service}"')


def downgrade() -> None:
    op.execute("DROP TABLE fee_tiers")
    op.execute("DROP TABLE fee_schedule")
