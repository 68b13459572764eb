"""Stock loans: rules, loans and what happened to them, marks, the default fund, close-outs."""

from alembic import context, op

from migrations.storage import APPENDED, set_storage

revision = "clearing_0011"
down_revision = "clearing_0010"
branch_labels = None
depends_on = None

_TABLES = {
    "margin_rules": (
        "single BOOLEAN NOT NULL DEFAULT true, is_open BOOLEAN NOT NULL,"
        " initial_bps INTEGER NOT NULL, maintenance_bps INTEGER NOT NULL,"
        " fee_bps INTEGER NOT NULL, call_us BIGINT NOT NULL,"
        " pool_bps INTEGER NOT NULL,"
        " PRIMARY KEY (single),"
        " CONSTRAINT margin_rules_single_check CHECK (single),"
        " CONSTRAINT margin_rules_rates_check CHECK (maintenance_bps >= 10000"
        " AND initial_bps >= maintenance_bps AND fee_bps >= 0 AND call_us >= 0"
        " AND pool_bps > 0 AND pool_bps <= 10000)",
        "Owner: clearinghouse. No row or one: what a stock loan asks for; rates in basis points of"
        " the value at the mark, the fee for a day.",
    ),
    "short_sellers": (
        "client_id TEXT NOT NULL REFERENCES clients (client_id), is_allowed BOOLEAN NOT NULL,"
        " PRIMARY KEY (client_id)",
        "Owner: clearinghouse. Clients for whom an administrator, or a default, decided whether"
        " they may borrow.",
    ),
    "stock_loans": (
        "client_id TEXT NOT NULL REFERENCES accounts (client_id),"
        " security_id TEXT NOT NULL REFERENCES securities (security_id),"
        " quantity BIGINT NOT NULL, collateral_e4 BIGINT NOT NULL, loan TEXT NOT NULL,"
        " PRIMARY KEY (client_id, security_id),"
        " CONSTRAINT stock_loans_amounts_check CHECK (quantity > 0 AND collateral_e4 >= 0)",
        "Owner: clearinghouse. Shares that clients owe to the lender''s pool, and the cash held"
        " for them; loan is the whole of it as JSON. The fold of loan_events.",
    ),
    "loan_events": (
        "number BIGINT NOT NULL, time_us BIGINT NOT NULL, client_id TEXT NOT NULL,"
        " security_id TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (number)",
        "Owner: clearinghouse; insert only, for anybody. What happened to each stock loan, as JSON,"
        " gap-free.",
    ),
    "loan_marks": (
        "security_id TEXT NOT NULL, as_of_report BIGINT NOT NULL, from_report BIGINT NOT NULL,"
        " time_us BIGINT NOT NULL, mark_e4 BIGINT NOT NULL,"
        " PRIMARY KEY (security_id, as_of_report)",
        "Owner: clearinghouse; insert only, for anybody. Marks of lent securities: made from the"
        " trades among the settlement reports after from_report and up to as_of_report.",
    ),
    "default_fund": (
        "client_id TEXT NOT NULL REFERENCES accounts (client_id), contribution_e4 BIGINT NOT NULL,"
        " PRIMARY KEY (client_id),"
        " CONSTRAINT default_fund_contribution_check CHECK (contribution_e4 >= 0)",
        "Owner: clearinghouse. What each member has in the account default_fund.",
    ),
    "close_out_orders": (
        "client_order_id TEXT NOT NULL, security_id TEXT NOT NULL, quantity BIGINT NOT NULL,"
        " price_e4 BIGINT NOT NULL, PRIMARY KEY (client_order_id),"
        " CONSTRAINT close_out_orders_terms_check CHECK (quantity > 0 AND price_e4 > 0)",
        "Owner: clearinghouse. Buy orders of the account close_out that are to be logged; the"
        " gateway logs each once, by its name. Removed when it is settled.",
    ),
}
_EMPTIED = ("short_sellers", "stock_loans", "close_out_orders")
_APPENDED = ("loan_events", "loan_marks")

# As for suspensions (0007): the clearinghouse may only touch the timers of its own close-outs.
_SET_TIMER = """
CREATE FUNCTION set_margin_timer(of_client text, at_us bigint)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO cancel_timers (timer, client_id, due_us)
    VALUES ('margin:' || of_client, of_client, at_us)
    ON CONFLICT (timer) DO UPDATE SET due_us = EXCLUDED.due_us
$$
"""
_FUNCTION = "set_margin_timer(text, bigint)"


def upgrade() -> None:
    prefix = context.config.attributes["role_prefix"]
    clearinghouse, feed, gateway = (
        f'"{prefix}_{service}"'
        for service in ("clearinghouse", "market_data_feed", "order_entry_gateway")
    )
    for name, (columns, comment) in _TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
        op.execute(f"COMMENT ON TABLE {name} IS '{comment}'")
        rights = "SELECT, INSERT" if name in _APPENDED else "SELECT, INSERT, UPDATE"
        rights += ", DELETE" if name in _EMPTIED else ""
        op.execute(f"GRANT {rights} ON {name} TO {clearinghouse}")
        op.execute(f"GRANT SELECT ON {name} TO {feed}, {gateway}")
    op.execute("CREATE INDEX loan_events_client_id ON loan_events (client_id, number)")
    for name in _APPENDED:
        set_storage(name, APPENDED)
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(_SET_TIMER)
    op.execute(f"REVOKE EXECUTE ON FUNCTION {_FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_FUNCTION} TO {clearinghouse}")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_FUNCTION}")
    for name in reversed(_TABLES):
        op.execute(f"DROP TABLE {name}")
