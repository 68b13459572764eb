"""The gateway sees how far the record is, so that it can refuse orders in time when the venue is
behind.
"""

from alembic import context, op

revision = "market_0005"
down_revision = "market_0004"
branch_labels = None
depends_on = None


def _gateway() -> str:
    return f'"{context.config.attributes["role_prefix"]}_order_entry_gateway"'


def upgrade() -> None:
    op.execute(f"GRANT SELECT ON stream_positions TO {_gateway()}")


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON stream_positions FROM {_gateway()}")
