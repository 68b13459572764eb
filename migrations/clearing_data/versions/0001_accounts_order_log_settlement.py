"""Accounts, order log, journals, settlement reports, and who may touch them."""

from pathlib import Path

from alembic import context, op

revision = "clearing_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = Path(__file__).with_name("0001_tables.sql").read_text()

# A journal balances when its arrays match and the amounts of each asset sum to zero.
# The loop beats a grouped subquery by far: it runs once for each settled trade. A leg with a NULL
# in it
# (also what an array of other bounds or dimensions gives) would make sums NULL, and a CHECK passes
# on NULL.
_JOURNAL_IS_BALANCED = """
CREATE FUNCTION journal_is_balanced(accounts text[], assets text[], amounts bigint[])
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    legs int := cardinality(amounts);
    total numeric;
BEGIN
    IF legs < 2 OR cardinality(accounts) <> legs OR cardinality(assets) <> legs THEN
        RETURN false;
    END IF;
    FOR i IN 1..legs LOOP
        IF accounts[i] IS NULL OR assets[i] IS NULL OR amounts[i] IS NULL THEN RETURN false; END IF;
        CONTINUE WHEN i > 1 AND assets[i] = ANY (assets[1:i - 1]);
        total := 0;
        FOR j IN i..legs LOOP
            IF assets[j] = assets[i] THEN total := total + amounts[j]; END IF;
        END LOOP;
        IF total <> 0 THEN RETURN false; END IF;
    END LOOP;
    RETURN true;
END $$
"""

_REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed: correct them by new ones', TG_TABLE_NAME;
END $$
"""

_LEDGER_ENTRIES = """
CREATE VIEW ledger_entries AS
SELECT journal_id, leg, account AS client_id, asset, amount, journal_kind, trade_id, time_us
FROM journals, unnest(accounts, assets, amounts) WITH ORDINALITY
    AS legs(account, asset, amount, leg)
"""

_APPEND_ONLY = ("journals", "settlement_reports", "order_log")

_GRANTS = {
    "order_entry_gateway": [
        "SELECT ON clients, api_keys, securities, accounts, securities_deposits, order_log, "
        "order_log_heads",
        "INSERT ON order_log",
        "UPDATE (last_sequence, last_time_us) ON order_log_heads",
        "UPDATE (held_e4) ON accounts",
        "UPDATE (held) ON securities_deposits",
    ],
    "matching_engine": ["SELECT ON order_log, order_log_heads, securities, clients, api_keys"],
    "clearinghouse": [
        "SELECT ON ALL TABLES IN SCHEMA public",
        "INSERT ON clients, api_keys, securities, accounts, securities_deposits, journals, "
        "settlement_reports,"
        " obligations, stream_positions",
        "UPDATE ON securities, accounts, securities_deposits, settlement_heads, stream_positions",
        "UPDATE (revoked_us) ON api_keys",
        "UPDATE (role, rate_limit_per_second) ON clients",
        "DELETE ON obligations",
    ],
    "market_data_feed": ["SELECT ON ALL TABLES IN SCHEMA public"],
}


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    op.execute(_JOURNAL_IS_BALANCED)
    op.execute(_REFUSE_CHANGE)
    op.get_bind().exec_driver_sql(_TABLES.replace("%", "%%"))
    op.execute(_LEDGER_ENTRIES)
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute("INSERT INTO order_log_heads VALUES (0, 0, 0)")
    op.execute("INSERT INTO settlement_heads VALUES (true, 0, 0)")
    op.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for service, grants in _GRANTS.items():
        role = f'"{prefix}_{service}"'
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        for grant in grants:
            op.execute(f"GRANT {grant} TO {role}")


def downgrade() -> None:
    op.execute("DROP VIEW ledger_entries")
    op.execute(
        "DROP TABLE stream_positions, obligations, settlement_reports, journals, "
        "settlement_heads, order_log,"
        " order_log_heads, securities_deposits, accounts, securities, api_keys, clients"
    )
    op.execute("DROP FUNCTION journal_is_balanced")
    op.execute("DROP FUNCTION refuse_change")
    op.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
