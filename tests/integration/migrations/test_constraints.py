"""What the databases themselves refuse: changes of what is written, and what must never be."""

import pytest
from psycopg2 import errors

from migrations.provision import SERVICES, Provisioned
from tests.integration.migrations.statements import (
    APPEND_LOG,
    CLEARINGHOUSE,
    GATEWAY,
    INSERT_REPORT,
    OWNER,
    journal,
    session,
)


@pytest.mark.parametrize("role", [OWNER, *SERVICES])
@pytest.mark.parametrize("table", ["journals", "settlement_reports", "order_log"])
@pytest.mark.parametrize(
    "change", ["UPDATE {0} SET time_us = 0", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"]
)
def test_nobody_not_even_the_owner_changes_what_is_written(
    provisioned: Provisioned, role: str, table: str, change: str
) -> None:
    statement = change.format(table).replace(
        "settlement_reports SET time_us = 0", "settlement_reports SET report = ''"
    )
    with (
        session(provisioned, role) as cursor,
        pytest.raises((errors.InsufficientPrivilege, errors.RaiseException)),
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts SET held_e4 = balance_e4 + 1 WHERE client_id = 'market_maker'",
        "UPDATE accounts SET held_e4 = -1 WHERE client_id = 'market_maker'",
        "UPDATE accounts SET balance_e4 = -1 WHERE client_id = 'market_maker'",
        "UPDATE accounts SET held_e4 = -1 WHERE client_id = 'bank'",
        "UPDATE securities_deposits SET held = quantity + 1 WHERE client_id = 'market_maker'",
        "UPDATE securities_deposits SET held = -1 WHERE client_id = 'market_maker'",
        "UPDATE securities_deposits SET quantity = -1 WHERE client_id = 'market_maker'",
        "UPDATE securities SET tick_e4 = -1",
        "UPDATE securities SET lot = 0",
        "UPDATE securities SET band_bps = 10001",
        "UPDATE securities SET reference_price_e4 = tick_e4 + 1",
        "INSERT INTO clients VALUES ('a b', 'trader', 1, NULL)",
        "INSERT INTO clients VALUES (E'a\\n', 'trader', 1, NULL)",
        "INSERT INTO clients VALUES (repeat('x', 65), 'trader', 1, NULL)",
        "INSERT INTO clients VALUES ('x', 'king', 1, NULL)",
        "INSERT INTO api_keys VALUES ('short', 'market_maker', 1, NULL)",
        "INSERT INTO settlement_heads VALUES (false, 0, 0)",
        "INSERT INTO session_phases VALUES (0, '', 'lunch', NULL, NULL, 1, 1)",
        "INSERT INTO session_bands VALUES (0, 'AAPL', 10000, 1, 1, 1)",
        "INSERT INTO session_schedule VALUES (false, '{}', 0)",
        APPEND_LOG.format(sequence=0, client_order_id="NULL"),
        journal("{bank,market_maker}", "{USD,USD}", "{-5,5}", kind="gift"),
    ],
)
def test_what_must_never_be_is_refused_by_a_check_even_to_the_owner(
    provisioned: Provisioned, statement: str
) -> None:
    with session(provisioned, OWNER) as cursor, pytest.raises(errors.CheckViolation):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("accounts", "assets", "amounts"),
    [
        ("{bank,market_maker}", "{USD,USD}", "{-5,4}"),
        ("{bank,market_maker}", "{USD,AAPL}", "{-5,5}"),
        ("{bank,market_maker,a,b}", "{USD,USD,AAPL,AAPL}", "{-5,5,3,-2}"),
        ("{bank}", "{USD}", "{0}"),
        ("{}", "{}", "{}"),
        ("{bank,market_maker}", "{USD,USD}", "{-5,5,0}"),
        ("{bank}", "{USD,USD}", "{-5,5}"),
        ("{bank,market_maker}", "{USD,USD}", "{100,NULL}"),
        ("{bank,market_maker}", "{NULL,NULL}", "{100,100}"),
        ("{NULL,market_maker}", "{USD,USD}", "{-5,5}"),
        ("{{bank,a},{b,c}}", "{{USD,USD},{USD,USD}}", "{{1,2},{3,4}}"),
        ("{bank,market_maker}", "{USD,USD}", "[2:3]={1,2}"),
        ("{bank,market_maker}", "{USD,USD}", "{9223372036854775807,9223372036854775807}"),
    ],
)
def test_a_journal_that_does_not_balance_is_refused(
    provisioned: Provisioned, accounts: str, assets: str, amounts: str
) -> None:
    with session(provisioned, OWNER) as cursor, pytest.raises(errors.CheckViolation):
        cursor.execute(journal(accounts, assets, amounts))


@pytest.mark.parametrize(
    ("accounts", "assets", "amounts"),
    [
        ("{bank,market_maker}", "{USD,USD}", "{-5,5}"),
        ("{a,b,c,d}", "{USD,AAPL,USD,AAPL}", "{-500,3,500,-3}"),
        ("{a,b}", "{USD,USD}", "{9223372036854775807,-9223372036854775807}"),
    ],
)
def test_a_journal_that_balances_per_asset_is_taken(
    provisioned: Provisioned, accounts: str, assets: str, amounts: str
) -> None:
    with session(provisioned, CLEARINGHOUSE) as cursor:
        cursor.execute(journal(accounts, assets, amounts))
        cursor.execute("SELECT count(*) FROM ledger_entries WHERE journal_id = 900001")
        assert cursor.fetchone()[0] == accounts.count(",") + 1


def test_a_trade_can_be_settled_once_only(provisioned: Provisioned) -> None:
    with session(provisioned, CLEARINGHOUSE) as cursor:
        cursor.execute(journal("{a,b}", "{USD,USD}", "{-5,5}", 900_001, "77"))
        with pytest.raises(errors.UniqueViolation):
            cursor.execute(journal("{a,b}", "{USD,USD}", "{-5,5}", 900_002, "77"))


def test_a_client_order_id_is_logged_once_for_each_client(provisioned: Provisioned) -> None:
    with session(provisioned, GATEWAY) as cursor:
        cursor.execute(APPEND_LOG.format(sequence=1, client_order_id="'mine'"))
        cursor.execute(APPEND_LOG.format(sequence=2, client_order_id="NULL"))
        cursor.execute(APPEND_LOG.format(sequence=3, client_order_id="NULL"))
        cursor.execute(
            APPEND_LOG.format(sequence=4, client_order_id="'mine'").replace("market_maker", "other")
        )
        with pytest.raises(errors.UniqueViolation):
            cursor.execute(APPEND_LOG.format(sequence=5, client_order_id="'mine'"))


def test_a_sequence_is_logged_once_for_each_shard(provisioned: Provisioned) -> None:
    with session(provisioned, GATEWAY) as cursor:
        cursor.execute(APPEND_LOG.format(sequence=1, client_order_id="NULL"))
        with pytest.raises(errors.UniqueViolation):
            cursor.execute(APPEND_LOG.format(sequence=1, client_order_id="NULL"))


def test_a_settlement_report_is_numbered_once_for_each_client(provisioned: Provisioned) -> None:
    with session(provisioned, CLEARINGHOUSE) as cursor:
        cursor.execute(INSERT_REPORT)
        with pytest.raises(errors.UniqueViolation):
            cursor.execute(INSERT_REPORT.replace("VALUES (1000000", "VALUES (1000001"))
