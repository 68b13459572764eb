"""The gateway removes the close-out orders that it logs."""

from alembic import context, op

revision = "clearing_0014"
down_revision = "clearing_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    gateway = f'"{context.config.attributes["role_prefix"]}_order_entry_gateway"'
    # FOR UPDATE asks for the right to update a column; none is ever updated.
    op.execute(f"GRANT DELETE, UPDATE (client_order_id) ON close_out_orders TO {gateway}")


def downgrade() -> None:
    gateway = f'"{context.config.attributes["role_prefix"]}_order_entry_gateway"'
    op.execute(f"REVOKE DELETE, UPDATE (client_order_id) ON close_out_orders FROM {gateway}")
