"""The rates of each order, and the fee of each fill in its owner's execution report."""

from alembic import op

revision = "market_0008"
down_revision = "market_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a default the rows of before are left as they are.
    op.execute("ALTER TABLE orders ADD COLUMN fees TEXT")
    op.execute("ALTER TABLE order_reports ADD COLUMN fee_e4 BIGINT")


def downgrade() -> None:
    op.execute("ALTER TABLE order_reports DROP COLUMN fee_e4")
    op.execute("ALTER TABLE orders DROP COLUMN fees")
