"""Shares kept from delivery in net settlement, and buy-in notices."""

from alembic import context, op

revision = "clearing_0019"
down_revision = "clearing_0018"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE delivery_terms (
    client_id TEXT NOT NULL,
    security_id TEXT NOT NULL,
    exempt BIGINT NOT NULL,
    deposit_e4 BIGINT NOT NULL,
    notice_shard SMALLINT NOT NULL,
    notice_cycle BIGINT NOT NULL,
    PRIMARY KEY (client_id, security_id),
    CONSTRAINT delivery_terms_units_check CHECK (exempt >= 0 AND deposit_e4 >= 0)
)
"""
_COMMENT = (
    "Owner: clearinghouse. Shares that a client keeps from delivery in cycles, with the cash held"
    " for it, and its buy-in notice."
)


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute(_TABLE)
    op.execute(f"COMMENT ON TABLE delivery_terms IS '{_COMMENT}'")
    op.execute(
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_terms TO "{prefix}_clearinghouse"'
    )
    op.execute(f'GRANT SELECT ON delivery_terms TO "{prefix}_market_data_feed"')


def downgrade() -> None:
    """It fails while cash is held for an exemption."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM delivery_terms WHERE exempt > 0) THEN"
        " RAISE EXCEPTION 'shares are exempt from delivery: end that first'; END IF; END $$"
    )
    op.execute("DROP TABLE delivery_terms")
