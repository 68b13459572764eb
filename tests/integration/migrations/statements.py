"""Statements and sessions by role, for the tests of rights and constraints."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from migrations.provision import Provisioned

OWNER = "owner"
ENGINE, GATEWAY, CLEARINGHOUSE, FEED = (
    "matching_engine",
    "order_entry_gateway",
    "clearinghouse",
    "market_data_feed",
)
CLEARING_TABLES = (
    "clients",
    "api_keys",
    "securities",
    "accounts",
    "securities_deposits",
    "order_log_heads",
    "order_log",
    "settlement_heads",
    "journals",
    "settlement_reports",
    "obligations",
    "stream_positions",
    "session_phases",
    "session_bands",
    "session_schedule",
    "administrative_actions",
    "margin_rules",
    "short_sellers",
    "stock_loans",
    "loan_events",
    "loan_marks",
    "default_fund",
    "close_out_orders",
    "corporate_actions",
    "proposals",
    "dividend_entitlements",
    "fee_schedule",
    "fee_tiers",
)
MARKET_TABLES = (
    "orders",
    "order_reports",
    "trades",
    "settlements",
    "refused_orders",
    "stream_positions",
    "session_events",
    "marks",
    "trade_corrections",
)

APPEND_LOG = (
    "INSERT INTO order_log (shard, sequence, time_us, client_id, client_order_id, command)"
    " VALUES (0, {sequence}, 1, 'market_maker', {client_order_id}, '{{}}')"
)
INSERT_JOURNAL = (
    "INSERT INTO journals (journal_id, journal_kind, time_us, trade_id, accounts, assets, amounts)"
    " VALUES ({journal_id}, '{kind}', 1, {trade_id}, '{accounts}', '{assets}', '{amounts}')"
)
INSERT_REPORT = (
    "INSERT INTO settlement_reports (sequence, client_id, client_sequence, report)"
    " VALUES (1000000, 'market_maker', 1000000, '{}')"
)


def journal(
    accounts: str,
    assets: str,
    amounts: str,
    journal_id: int = 900_001,
    trade_id: str = "NULL",
    kind: str = "trade",
) -> str:
    """An INSERT of one journal with these array literals."""
    return INSERT_JOURNAL.format(
        accounts=accounts,
        assets=assets,
        amounts=amounts,
        journal_id=journal_id,
        trade_id=trade_id,
        kind=kind,
    )


BALANCED = journal("{bank,market_maker}", "{USD,USD}", "{-5,5}")


@contextmanager
def session(provisioned: Provisioned, role: str, database: str = "clearing_data") -> Iterator[Any]:
    """A cursor of this role in a transaction that is rolled back at the end."""
    if role == OWNER:
        url = (
            provisioned.owner_clearing_url
            if database == "clearing_data"
            else provisioned.owner_market_url
        )
    else:
        url = (
            provisioned.clearing_url(role)
            if database == "clearing_data"
            else provisioned.market_url(role)
        )
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
