"""The tables of the record and who may do what in them."""

import psycopg2
import pytest

from migrations import schema
from tests.integration.market_data_feed.conftest import Clearing


def test_the_migration_equals_the_metadata_up_and_down(clearing: Clearing) -> None:
    owner_url, instance = clearing.provisioned.owner_market_url, clearing.provisioned.instance
    assert schema.differences("market_data", owner_url) == []
    schema.downgrade("market_data", owner_url, instance)
    assert clearing.recorded("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("alembic_version",)
    ]
    schema.upgrade("market_data", owner_url, instance)
    assert schema.differences("market_data", owner_url) == []


def test_each_role_may_do_only_what_it_needs(clearing: Clearing) -> None:
    def attempt(url: str, statement: str) -> None:
        connection = psycopg2.connect(url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    gateway = clearing.provisioned.market_url("order_entry_gateway")
    feed = clearing.provisioned.market_url("market_data_feed")
    for table in ("orders", "order_reports", "trades"):
        attempt(gateway, f"SELECT * FROM {table}")
    forbidden = [
        (gateway, "DELETE FROM orders"),
        (gateway, "SELECT * FROM settlements"),
        (feed, "DELETE FROM trades"),
        (feed, "UPDATE trades SET quantity = 1"),
        (feed, "UPDATE settlements SET report = ''"),
        (clearing.provisioned.market_url("matching_engine"), "SELECT * FROM public.orders"),
        (
            clearing.provisioned.clearing_url("market_data_feed"),
            "UPDATE accounts SET balance_e4 = 0",
        ),
    ]
    for url, statement in forbidden:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            attempt(url, statement)
