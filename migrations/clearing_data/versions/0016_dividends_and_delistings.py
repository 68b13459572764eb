"""Dividends with their dates, new symbols and delistings."""

from alembic import context, op

revision = "clearing_0016"
down_revision = "clearing_0015"
branch_labels = None
depends_on = None

_COMMENT = (
    "Owner: clearinghouse; insert only, in the transaction of the effect. When a corporate action"
    " was declared, took effect and was paid; action is JSON, action_id the sharded sequence of the"
    " command."
)
_COMMENT_BEFORE = (
    "Owner: clearinghouse; written in the transaction of the effect. Corporate actions that took"
    " effect; action is JSON, action_id the sharded sequence of the command."
)


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute("ALTER TABLE securities ADD COLUMN delisted_us bigint")
    op.execute("ALTER TABLE securities ADD COLUMN successor text")
    op.execute("ALTER TABLE corporate_actions RENAME COLUMN applied_us TO time_us")
    op.execute("ALTER TABLE corporate_actions ADD COLUMN step text NOT NULL DEFAULT 'applied'")
    op.execute("ALTER TABLE corporate_actions ALTER COLUMN step DROP DEFAULT")
    op.execute("ALTER TABLE corporate_actions ALTER COLUMN action DROP NOT NULL")
    op.execute("ALTER TABLE corporate_actions DROP CONSTRAINT corporate_actions_pkey")
    op.execute(
        "ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_pkey"
        " PRIMARY KEY (action_id, step)"
    )
    op.execute(
        "ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_step_check"
        " CHECK (step IN ('declared', 'applied', 'paid'))"
    )
    op.execute(f"COMMENT ON TABLE corporate_actions IS '{_COMMENT}'")
    op.execute(
        "CREATE TABLE dividend_entitlements ("
        " action_id bigint NOT NULL, client_id text NOT NULL, shares bigint NOT NULL,"
        " cash_e4 bigint NOT NULL,"
        " CONSTRAINT dividend_entitlements_pkey PRIMARY KEY (action_id, client_id),"
        " CONSTRAINT dividend_entitlements_client_id_fkey"
        " FOREIGN KEY (client_id) REFERENCES accounts (client_id))"
    )
    op.execute(
        "COMMENT ON TABLE dividend_entitlements IS 'Owner: clearinghouse; insert only. Who held how"
        " many shares when they went ex, and what is paid for them on the pay date.'"
    )
    op.execute(f'GRANT SELECT, INSERT ON dividend_entitlements TO "{prefix}_clearinghouse"')
    op.execute(f'GRANT SELECT ON dividend_entitlements TO "{prefix}_market_data_feed"')


def downgrade() -> None:
    """It fails while a dividend is declared: the revision before can't tell of one."""
    op.execute("DROP TABLE dividend_entitlements")
    op.execute("ALTER TABLE corporate_actions DROP CONSTRAINT corporate_actions_pkey")
    op.execute("ALTER TABLE corporate_actions DROP CONSTRAINT corporate_actions_step_check")
    op.execute("ALTER TABLE corporate_actions DROP COLUMN step")
    op.execute("ALTER TABLE corporate_actions ALTER COLUMN action SET NOT NULL")
    op.execute(
        "ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_pkey"
        " PRIMARY KEY (action_id)"
    )
    op.execute("ALTER TABLE corporate_actions RENAME COLUMN time_us TO applied_us")
    op.execute(f"COMMENT ON TABLE corporate_actions IS '{_COMMENT_BEFORE}'")
    op.execute("ALTER TABLE securities DROP COLUMN successor")
    op.execute("ALTER TABLE securities DROP COLUMN delisted_us")
