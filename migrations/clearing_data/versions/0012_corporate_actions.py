"""Corporate actions: their rows, and what the door must know of them."""

from alembic import context, op

revision = "clearing_0012"
down_revision = "clearing_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute("ALTER TABLE securities ADD COLUMN action_id bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE session_phases ADD COLUMN action_sequence bigint")
    op.execute(
        "CREATE TABLE corporate_actions ("
        " action_id bigint NOT NULL, security_id text NOT NULL, applied_us bigint NOT NULL,"
        " action text NOT NULL,"
        " CONSTRAINT corporate_actions_pkey PRIMARY KEY (action_id),"
        " CONSTRAINT corporate_actions_security_id_fkey"
        " FOREIGN KEY (security_id) REFERENCES securities (security_id))"
    )
    op.execute(
        "CREATE INDEX corporate_actions_security_id ON corporate_actions (security_id, action_id)"
    )
    op.execute(
        "COMMENT ON TABLE corporate_actions IS 'Owner: clearinghouse; written in the transaction of"
        " the effect. Corporate actions that took effect; action is JSON, action_id the sharded"
        " sequence of the command.'"
    )
    op.execute(f'GRANT SELECT, INSERT ON corporate_actions TO "{prefix}_clearinghouse"')
    op.execute(f'GRANT SELECT ON corporate_actions TO "{prefix}_market_data_feed"')


def downgrade() -> None:
    """It forgets the actions, and that listings were changed by them."""
    op.execute("DROP TABLE corporate_actions")
    op.execute("ALTER TABLE session_phases DROP COLUMN action_sequence")
    op.execute("ALTER TABLE securities DROP COLUMN action_id")
