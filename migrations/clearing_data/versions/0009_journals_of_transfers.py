"""An index of the journals that no trade made: the ledger entries of the bank and the depository.

They are few among many; a trade's journal adds nothing to the index.
"""

from alembic import op

revision = "clearing_0009"
down_revision = "clearing_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX journals_of_transfers ON journals (journal_id) WHERE journal_kind <> 'trade'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX journals_of_transfers")
