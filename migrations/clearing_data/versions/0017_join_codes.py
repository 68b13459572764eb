"""Join codes, with which strangers make accounts of their own."""

from alembic import context, op

revision = "clearing_0017"
down_revision = "clearing_0016"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE join_codes (
    label TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    places INTEGER NOT NULL,
    used INTEGER NOT NULL,
    created_us BIGINT NOT NULL,
    closes_us BIGINT NOT NULL,
    PRIMARY KEY (label),
    CONSTRAINT join_codes_code_hash_key UNIQUE (code_hash),
    CONSTRAINT join_codes_places_check CHECK (places > 0 AND used >= 0 AND used <= places)
)
"""
_COMMENT = (
    "Owner: clearinghouse. Codes with which strangers make accounts of their own, as SHA-256 only;"
    " times in microseconds since the epoch."
)


def upgrade() -> None:
    clearinghouse = f'"{context.config.attributes["role_prefix"]}_clearinghouse"'
    op.execute(_TABLE)
    op.execute(f"COMMENT ON TABLE join_codes IS '{_COMMENT}'")
    op.execute(f"GRANT SELECT, INSERT ON join_codes TO {clearinghouse}")
    op.execute(f"GRANT UPDATE (used, closes_us) ON join_codes TO {clearinghouse}")


def downgrade() -> None:
    op.execute("DROP TABLE join_codes")
