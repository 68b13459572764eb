"""Busts and corrections of trades, and which of them each mark was made with."""

from alembic import context, op

revision = "market_0007"
down_revision = "market_0006"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE trade_corrections (
    security_id TEXT NOT NULL,
    trade_id BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    correction_kind TEXT NOT NULL,
    price_e4 BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    PRIMARY KEY (security_id, trade_id, sequence)
)
"""
_COMMENT = (
    "Busts and corrections of trades, as the clearinghouse told them: sequence is the buyer''s"
    " settlement report. The newest of a trade says how it stands; its row in trades is what was"
    " matched."
)
_MARKS_COMMENT = (
    "The mark of each security, and the newest trade that it was made from. It goes on from there:"
    " a mark of long ago can not be found in the newest trades.{0}"
)
_MADE_ANEW = (
    " corrected: the newest correction that it knows of; a newer one has it made anew from the"
    " first trade."
)


def upgrade() -> None:
    feed = f'"{context.config.attributes["role_prefix"]}_market_data_feed"'
    op.execute(_TABLE)
    op.execute(f"COMMENT ON TABLE trade_corrections IS '{_COMMENT}'")
    op.execute(
        "CREATE INDEX trade_corrections_sequence ON trade_corrections (security_id, sequence)"
    )
    op.execute("ALTER TABLE marks ADD COLUMN corrected BIGINT NOT NULL DEFAULT 0")
    op.execute(f"COMMENT ON TABLE marks IS '{_MARKS_COMMENT.format(_MADE_ANEW)}'")
    op.execute(f"GRANT SELECT, INSERT ON trade_corrections TO {feed}")


def downgrade() -> None:
    op.execute(f"COMMENT ON TABLE marks IS '{_MARKS_COMMENT.format('')}'")
    op.execute("ALTER TABLE marks DROP COLUMN corrected")
    op.execute("DROP TABLE trade_corrections")
