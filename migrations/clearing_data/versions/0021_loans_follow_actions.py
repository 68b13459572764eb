"""Stock loans follow corporate actions: marks and close-outs say which they know."""

from alembic import op

revision = "clearing_0021"
down_revision = "clearing_0020"
branch_labels = None
depends_on = None

_COMMENT_BEFORE = (
    "Owner: clearinghouse; insert only, for anybody. Marks of lent securities: made from the trades"
    " among the settlement reports after from_report and up to as_of_report"
)
_COMMENT = f"{_COMMENT_BEFORE} that were made after followed_us, the newest corporate action."


def _key(columns: str) -> None:
    op.execute("ALTER TABLE loan_marks DROP CONSTRAINT loan_marks_pkey")
    op.execute(f"ALTER TABLE loan_marks ADD CONSTRAINT loan_marks_pkey PRIMARY KEY ({columns})")


def upgrade() -> None:
    op.execute("ALTER TABLE loan_marks ADD COLUMN followed_us bigint NOT NULL DEFAULT 0")
    _key("security_id, as_of_report, followed_us")
    op.execute(f"COMMENT ON TABLE loan_marks IS '{_COMMENT}'")
    op.execute("ALTER TABLE close_out_orders ADD COLUMN action_id bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    """It fails where two marks were made as of one report."""
    op.execute("ALTER TABLE close_out_orders DROP COLUMN action_id")
    _key("security_id, as_of_report")
    op.execute("ALTER TABLE loan_marks DROP COLUMN followed_us")
    op.execute(f"COMMENT ON TABLE loan_marks IS '{_COMMENT_BEFORE}.'")
