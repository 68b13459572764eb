"""Where a corporate action stands among the settlement reports: the audit derives it there."""

from alembic import op

revision = "clearing_0020"
down_revision = "clearing_0019"
branch_labels = None
depends_on = None

_COMMENT_BEFORE = (
    "Owner: clearinghouse; insert only, in the transaction of the effect. When a corporate action"
    " was declared, took effect and was paid; action is JSON, action_id the sharded sequence of the"
    " command."
)
_COMMENT = (
    "Owner: clearinghouse; insert only, in the transaction of the effect. When a corporate action"
    " was declared, took effect and was paid; action is JSON, action_id the sharded sequence of the"
    " command, as_of_report the newest settlement report before it."
)


def upgrade() -> None:
    op.execute("ALTER TABLE corporate_actions ADD COLUMN as_of_report bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE corporate_actions ALTER COLUMN as_of_report DROP DEFAULT")
    op.execute(f"COMMENT ON TABLE corporate_actions IS '{_COMMENT}'")


def downgrade() -> None:
    op.execute("ALTER TABLE corporate_actions DROP COLUMN as_of_report")
    op.execute(f"COMMENT ON TABLE corporate_actions IS '{_COMMENT_BEFORE}'")
