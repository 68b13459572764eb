"""Who may do what, enforced by Postgres: roles, append-only tables, CHECKs and unique keys."""

import pytest
from psycopg2 import errors

from migrations.provision import SERVICES, Provisioned
from tests.integration.migrations.statements import (
    APPEND_LOG,
    BALANCED,
    CLEARING_TABLES,
    CLEARINGHOUSE,
    ENGINE,
    FEED,
    GATEWAY,
    INSERT_REPORT,
    MARKET_TABLES,
    session,
)


def may(
    provisioned: Provisioned, role: str, statement: str, database: str = "clearing_data"
) -> bool:
    """Whether Postgres lets this role do it. Any other error than a lacking right is raised."""
    with session(provisioned, role, database) as cursor:
        try:
            cursor.execute(statement)
        except errors.InsufficientPrivilege:
            return False
        return True


GATEWAY_NEEDS = [
    "SELECT * FROM stream_positions",
    *(
        f"SELECT * FROM {table}"
        for table in ("clients", "api_keys", "securities", "accounts", "securities_deposits")
    ),
    "SELECT * FROM order_log",
    "SELECT * FROM order_log_heads WHERE shard = 0 FOR UPDATE",
    "SELECT * FROM accounts WHERE client_id = 'market_maker' FOR UPDATE",
    "SELECT * FROM securities_deposits FOR UPDATE",
    "UPDATE accounts SET held_e4 = held_e4 + 1 WHERE client_id = 'market_maker'",
    "UPDATE securities_deposits SET held = held + 1 WHERE client_id = 'market_maker'",
    "UPDATE order_log_heads SET last_sequence = 1, last_time_us = 1",
    APPEND_LOG.format(sequence=1, client_order_id="'x'"),
    "INSERT INTO order_expiries VALUES (0, 1)",
    "DELETE FROM order_expiries",
    "INSERT INTO cancel_timers VALUES ('switch', 'market_maker', 1)",
    "UPDATE cancel_timers SET due_us = 2",
    "DELETE FROM cancel_timers",
    "INSERT INTO session_phases VALUES (0, '', 'closed', NULL, NULL, 1, 1) ON CONFLICT DO NOTHING",
    "SELECT * FROM session_phases FOR SHARE",
    "UPDATE session_phases SET phase = 'closed'",
    "INSERT INTO session_bands VALUES (0, 'AAPL', 500, 1, 1, 1)",
    "UPDATE session_schedule SET done_us = 1",
    "SELECT * FROM close_out_orders FOR UPDATE",
    "DELETE FROM close_out_orders",
    "SELECT * FROM fee_schedule, fee_tiers",
]
ENGINE_NEEDS = [
    f"SELECT * FROM {table}"
    for table in ("order_log", "order_log_heads", "securities", "clients", "api_keys")
]
FEED_NEEDS = [f"SELECT * FROM {table}" for table in (*CLEARING_TABLES, "ledger_entries")]
CLEARINGHOUSE_NEEDS = [
    *(f"SELECT * FROM {table}" for table in (*CLEARING_TABLES, "ledger_entries")),
    "SELECT * FROM settlement_heads FOR UPDATE",
    "SELECT * FROM accounts FOR UPDATE",
    "INSERT INTO clients VALUES ('new', 'trader', 1, NULL)",
    "INSERT INTO api_keys VALUES (decode(repeat('00', 32), 'hex'), 'market_maker', 1, NULL)",
    "UPDATE api_keys SET revoked_us = 1",
    "UPDATE clients SET rate_limit_per_second = 1",
    "UPDATE clients SET suspended_us = 1, suspension_reason = 'why'",
    "INSERT INTO administrative_actions (time_us, administrator, action, details)"
    " VALUES (1, 'administrator', 'suspend', '{}')",
    "SELECT set_suspension_timer('suspension:ann', 'market_maker', 1)",
    "SELECT remove_suspension_timer('suspension:ann')",
    "INSERT INTO accounts (client_id, balance_e4, held_e4) VALUES ('market_maker', 0, 0) ON "
    "CONFLICT DO NOTHING",
    "UPDATE accounts SET balance_e4 = balance_e4 + 1, held_e4 = 0 WHERE client_id = 'market_maker'",
    "UPDATE securities_deposits SET quantity = quantity + 1",
    "UPDATE settlement_heads SET last_journal_id = last_journal_id + 1",
    "INSERT INTO stream_positions VALUES ('a', 'b', 1)",
    "UPDATE stream_positions SET sequence = 2",
    "INSERT INTO obligations VALUES (1, 1, 'why', '{}')",
    "DELETE FROM obligations",
    "INSERT INTO fee_schedule VALUES ('*', 'standard', -1, 3, 0)",
    "UPDATE fee_schedule SET taker_bps = 2",
    "DELETE FROM fee_schedule",
    "INSERT INTO fee_tiers VALUES ('market_maker', 'gold')",
    "LOCK TABLE fee_schedule, fee_tiers IN SHARE ROW EXCLUSIVE MODE",
    BALANCED,
    INSERT_REPORT,
    "INSERT INTO margin_rules VALUES (true, true, 15000, 13000, 10, 1, 5000)",
    "INSERT INTO short_sellers VALUES ('market_maker', true)",
    "INSERT INTO stock_loans VALUES ('market_maker', 'AAPL', 1, 1, '{}')",
    "DELETE FROM stock_loans",
    "INSERT INTO loan_events VALUES (1, 1, 'market_maker', 'AAPL', '{}')",
    "INSERT INTO loan_marks VALUES ('AAPL', 0, 0, 1, 1)",
    "INSERT INTO default_fund VALUES ('market_maker', 1)",
    "INSERT INTO close_out_orders VALUES ('close-out-1', 'AAPL', 1, 1)",
    "DELETE FROM close_out_orders",
    "SELECT set_margin_timer('market_maker', 1)",
    "INSERT INTO join_codes VALUES ('autumn', '\\x00', 1, 0, 1, 2)",
    "SELECT * FROM join_codes FOR UPDATE",
    "UPDATE join_codes SET used = used + 1, closes_us = 1",
]


@pytest.mark.parametrize(
    ("role", "statement"),
    [(GATEWAY, each) for each in GATEWAY_NEEDS]
    + [(ENGINE, each) for each in ENGINE_NEEDS]
    + [(FEED, each) for each in FEED_NEEDS]
    + [(CLEARINGHOUSE, each) for each in CLEARINGHOUSE_NEEDS],
)
def test_each_role_can_do_what_its_service_does(
    provisioned: Provisioned, role: str, statement: str
) -> None:
    assert may(provisioned, role, statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (GATEWAY, "UPDATE accounts SET balance_e4 = balance_e4 + 1"),
        (GATEWAY, "UPDATE accounts SET is_external = true"),
        (GATEWAY, "UPDATE securities_deposits SET quantity = quantity + 1"),
        (
            GATEWAY,
            "INSERT INTO accounts (client_id, balance_e4, held_e4) VALUES ('market_maker', 1, 0)",
        ),
        (GATEWAY, BALANCED),
        (GATEWAY, INSERT_REPORT),
        (GATEWAY, "SELECT * FROM journals"),
        (GATEWAY, "INSERT INTO close_out_orders VALUES ('mine', 'AAPL', 1, 1)"),
        (GATEWAY, "UPDATE stock_loans SET quantity = 1"),
        (GATEWAY, "SELECT set_margin_timer('market_maker', 1)"),
        (CLEARINGHOUSE, "UPDATE join_codes SET places = 1000"),
        (CLEARINGHOUSE, "DELETE FROM join_codes"),
        (GATEWAY, "SELECT * FROM join_codes"),
        (FEED, "SELECT * FROM join_codes"),
        (ENGINE, "SELECT * FROM join_codes"),
        (CLEARINGHOUSE, "UPDATE loan_events SET time_us = 1"),
        (CLEARINGHOUSE, "DELETE FROM loan_marks"),
        (GATEWAY, "SELECT * FROM settlement_reports"),
        (GATEWAY, "UPDATE settlement_heads SET last_journal_id = 0"),
        (GATEWAY, "UPDATE clients SET role = 'administrator'"),
        (GATEWAY, "UPDATE clients SET suspended_us = NULL"),
        (GATEWAY, "SELECT set_suspension_timer('suspension:ann', 'market_maker', 1)"),
        (ENGINE, "SELECT remove_suspension_timer('suspension:ann')"),
        (CLEARINGHOUSE, "UPDATE administrative_actions SET reason = 'another'"),
        (
            GATEWAY,
            "INSERT INTO api_keys VALUES (decode(repeat('00', 32), 'hex'), 'market_maker', 1, "
            "NULL)",
        ),
        (GATEWAY, "UPDATE securities SET tick_e4 = 1"),
        (GATEWAY, "UPDATE fee_schedule SET taker_bps = 0"),
        (GATEWAY, "DELETE FROM fee_tiers"),
        (GATEWAY, "UPDATE order_expiries SET expires_us = 2"),
        (CLEARINGHOUSE, "INSERT INTO cancel_timers VALUES ('switch', 'market_maker', 1)"),
        (FEED, "SELECT * FROM cancel_timers"),
        (ENGINE, "INSERT INTO order_expiries VALUES (0, 1)"),
        (ENGINE, "SELECT * FROM accounts"),
        (ENGINE, "SELECT * FROM securities_deposits"),
        (ENGINE, "SELECT * FROM journals"),
        (CLEARINGHOUSE, APPEND_LOG.format(sequence=1, client_order_id="NULL")),
        (CLEARINGHOUSE, "UPDATE order_log_heads SET last_sequence = 1"),
        (CLEARINGHOUSE, "UPDATE api_keys SET client_id = 'bank'"),
    ],
)
def test_no_role_can_do_what_is_not_its_part(
    provisioned: Provisioned, role: str, statement: str
) -> None:
    assert not may(provisioned, role, statement)


@pytest.mark.parametrize("role", [ENGINE, FEED])
@pytest.mark.parametrize("table", CLEARING_TABLES)
def test_engine_and_feed_write_nothing_in_clearing_data(
    provisioned: Provisioned, role: str, table: str
) -> None:
    assert not may(provisioned, role, f"INSERT INTO {table} SELECT * FROM {table}")
    assert not may(provisioned, role, f"DELETE FROM {table}")
    assert not may(provisioned, role, f"LOCK TABLE {table} IN EXCLUSIVE MODE")
    with session(provisioned, role) as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s LIMIT 1",
            (table,),
        )
        found = cursor.fetchone()
    if found is not None:
        assert not may(provisioned, role, f"UPDATE {table} SET {found[0]} = {found[0]}")


EMPTIED = (
    "obligations",
    "short_sellers",
    "stock_loans",
    "close_out_orders",
    "fee_schedule",
    "fee_tiers",
)
"""Tables of the clearinghouse that say what is open now."""


@pytest.mark.parametrize("role", SERVICES)
@pytest.mark.parametrize("table", CLEARING_TABLES)
def test_no_service_can_delete_truncate_or_redefine_in_clearing_data(
    provisioned: Provisioned, role: str, table: str
) -> None:
    takes_it = (role, table) == (GATEWAY, "close_out_orders")
    if not takes_it and (role != CLEARINGHOUSE or table not in EMPTIED):
        assert not may(provisioned, role, f"DELETE FROM {table}")
    for statement in (
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"DROP TABLE {table}",
    ):
        assert not may(provisioned, role, statement)


@pytest.mark.parametrize("role", SERVICES)
def test_no_service_can_make_tables_or_roles(provisioned: Provisioned, role: str) -> None:
    for statement in (
        "CREATE TABLE own (x int)",
        "CREATE TEMPORARY TABLE own (x int)",
        "CREATE ROLE other",
    ):
        assert not may(provisioned, role, statement), statement


@pytest.mark.parametrize("table", MARKET_TABLES)
def test_the_feed_records_in_market_data_and_deletes_nothing_but_refused_orders(
    provisioned: Provisioned, table: str
) -> None:
    assert may(provisioned, FEED, f"SELECT * FROM {table}", "market_data")
    assert may(provisioned, FEED, f"COPY {table} FROM PROGRAM 'true'", "market_data") is False
    assert may(provisioned, FEED, f"INSERT INTO {table} SELECT * FROM {table}", "market_data")
    assert may(provisioned, FEED, f"DELETE FROM {table}", "market_data") == (
        table == "refused_orders"
    )
    assert not may(provisioned, FEED, f"TRUNCATE {table}", "market_data")


@pytest.mark.parametrize("table", MARKET_TABLES)
def test_the_gateway_only_reads_orders_and_progress_in_market_data(
    provisioned: Provisioned, table: str
) -> None:
    readable = table in ("orders", "order_reports", "trades", "stream_positions")
    assert may(provisioned, GATEWAY, f"SELECT * FROM {table}", "market_data") == readable
    assert not may(
        provisioned, GATEWAY, f"INSERT INTO {table} SELECT * FROM {table}", "market_data"
    )


@pytest.mark.parametrize("role", [ENGINE, CLEARINGHOUSE])
def test_engine_and_clearinghouse_have_no_business_in_market_data(
    provisioned: Provisioned, role: str
) -> None:
    with session(provisioned, role, "market_data") as cursor:
        cursor.execute("SELECT has_schema_privilege('public', 'USAGE')")
        assert cursor.fetchone() == (False,)
