"""Marks outlive the feed: each with the newest trade that it was made from."""

from alembic import context, op

revision = "market_0006"
down_revision = "market_0005"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE marks (
    security_id text PRIMARY KEY,
    trade_id bigint NOT NULL,
    mark_e4 bigint NOT NULL
)
"""
_COMMENT = (
    "The mark of each security, and the newest trade that it was made from. It goes on from there: "
    "a mark of long ago can not be found in the newest trades."
)


def upgrade() -> None:
    feed = f'"{context.config.attributes["role_prefix"]}_market_data_feed"'
    op.execute(_TABLE)
    op.execute(f"COMMENT ON TABLE marks IS '{_COMMENT}'")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON marks TO {feed}")


def downgrade() -> None:
    op.execute("DROP TABLE marks")
