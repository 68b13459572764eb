"""Kinds of journals for net settlement, corporate actions, corrections and stock loans."""

from alembic import op

revision = "clearing_0010"
down_revision = "clearing_0009"
branch_labels = None
depends_on = None

_BEFORE = ("trade", "deposit", "withdrawal", "issue")
_NOW = (
    "trade",
    "net_settlement",
    "fails_charge",
    "dividend",
    "split",
    "symbol_change",
    "delisting",
    "deposit",
    "withdrawal",
    "issue",
    "bust",
    "correction",
    "fine",
    "stock_loan",
    "loan_return",
    "loan_fee",
    "close_out",
)


def upgrade() -> None:
    _allow(_NOW)


def downgrade() -> None:
    """It fails while journals of the new kinds exist: they can't be told to the revision before."""
    _allow(_BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    op.execute("ALTER TABLE journals DROP CONSTRAINT journals_kind_check")
    allowed = ", ".join(map(repr, kinds))
    op.execute(
        "ALTER TABLE journals ADD CONSTRAINT journals_kind_check"
        f" CHECK (journal_kind IN ({allowed}))"
    )
