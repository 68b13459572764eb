"""Tables that only grow are vacuumed and frozen in small bites."""

from migrations.storage import APPENDED, reset_storage, set_storage

revision = "clearing_0006"
down_revision = "clearing_0005"
branch_labels = None
depends_on = None

_TABLES = ("order_log", "journals", "settlement_reports")


def upgrade() -> None:
    for table in _TABLES:
        set_storage(table, APPENDED)


def downgrade() -> None:
    for table in _TABLES:
        reset_storage(table, APPENDED)
