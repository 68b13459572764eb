"""Net settlement: obligations, volumes, cycles, and the mode commanded last."""

from alembic import context, op

revision = "clearing_0013"
down_revision = "clearing_0012"
branch_labels = None
depends_on = None

_OBLIGATIONS = """
CREATE TABLE net_obligations (
    shard SMALLINT NOT NULL,
    cycle BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    security_id TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    cash_e4 BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    failing_since BIGINT NOT NULL,
    mark_e4 BIGINT NOT NULL,
    PRIMARY KEY (shard, cycle, client_id, security_id)
)
"""
_VOLUMES = """
CREATE TABLE net_volumes (
    shard SMALLINT NOT NULL,
    cycle BIGINT NOT NULL,
    security_id TEXT NOT NULL,
    trades BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    value_e4 BIGINT NOT NULL,
    PRIMARY KEY (shard, cycle, security_id)
)
"""
_CYCLES = """
CREATE TABLE settlement_cycles (
    shard SMALLINT NOT NULL,
    number BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    trades BIGINT NOT NULL,
    gross_value_e4 BIGINT NOT NULL,
    net_cash_e4 BIGINT NOT NULL,
    net_deliveries_e4 BIGINT NOT NULL,
    movements BIGINT NOT NULL,
    fails BIGINT NOT NULL,
    PRIMARY KEY (shard, number)
)
"""
_MODE = """
CREATE TABLE session_settlement (
    shard SMALLINT NOT NULL,
    mode TEXT NOT NULL,
    interval_us BIGINT,
    at_close BOOLEAN NOT NULL,
    lag SMALLINT NOT NULL,
    time_us BIGINT NOT NULL,
    PRIMARY KEY (shard),
    CONSTRAINT session_settlement_mode_check CHECK (mode IN ('gross', 'net')),
    CONSTRAINT session_settlement_units_check CHECK (interval_us > 0 AND lag >= 0)
)
"""
_COMMENTS = {
    "net_obligations": "Owner: clearinghouse. What trades oblige to until their cycle settles:"
    " shares and cash that the client is to get, below zero to give. Positions have it already.",
    "net_volumes": "Owner: clearinghouse. What was traded in a security and is due in a cycle that"
    " has not settled.",
    "settlement_cycles": "Owner: clearinghouse; insert only. What each cycle of net settlement"
    " settled. Its key is a guard against settling one twice.",
    "session_settlement": "Owner: gateway; written in the transaction of the command. How the"
    " trades of a shard settle, as commanded last; no row: gross.",
}


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    for statement in (_OBLIGATIONS, _VOLUMES, _CYCLES, _MODE):
        op.execute(statement)
    op.execute("CREATE INDEX net_obligations_client_id ON net_obligations (client_id)")
    for table, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{comment}'")
    op.execute(
        "CREATE TRIGGER settlement_cycles_append_only"
        " BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_cycles"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    clearinghouse, gateway = f'"{prefix}_clearinghouse"', f'"{prefix}_order_entry_gateway"'
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON net_obligations, net_volumes TO {clearinghouse}"
    )
    op.execute(f"GRANT SELECT, INSERT ON settlement_cycles TO {clearinghouse}")
    op.execute(f"GRANT SELECT ON session_settlement TO {clearinghouse}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON session_settlement TO {gateway}")
    op.execute(
        "GRANT SELECT ON net_obligations, net_volumes, settlement_cycles, session_settlement"
        f' TO "{prefix}_market_data_feed"'
    )


def downgrade() -> None:
    """It fails while something is open: it could not be settled by the revision before."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM net_obligations) THEN"
        " RAISE EXCEPTION 'obligations are open: settle gross first'; END IF; END $$"
    )
    for table in _COMMENTS:
        op.execute(f"DROP TABLE {table}")
