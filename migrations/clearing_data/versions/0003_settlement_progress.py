"""The gateway sees how far settlement is, so that it can refuse orders in time when the venue is
behind.
"""

from alembic import context, op

revision = "clearing_0003"
down_revision = "clearing_0002"
branch_labels = None
depends_on = None


def _gateway() -> str:
    return f'"{context.config.attributes["role_prefix"]}_order_entry_gateway"'


def upgrade() -> None:
    op.execute(f"GRANT SELECT ON stream_positions TO {_gateway()}")


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON stream_positions FROM {_gateway()}")
