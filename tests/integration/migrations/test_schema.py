"""Migrations: up, down and up again, equal to the metadata; provisioning may be repeated."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy

from clearinghouse import bootstrap
from migrations import schema
from migrations.provision import DATABASES, SERVICES, Provisioned, drop, provision
from venue_storage import clearing_data, market_data

ROOT = Path(__file__).parents[3]
METADATA = {"clearing_data": clearing_data.metadata, "market_data": market_data.metadata}


def owner_url(provisioned: Provisioned, database: str) -> str:
    """The database with its owner's role."""
    return (
        provisioned.owner_clearing_url
        if database == "clearing_data"
        else provisioned.owner_market_url
    )


def rows(url: str, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    """What a statement gives."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    finally:
        connection.close()


def check_constraints(url: str) -> set[tuple[object, ...]]:
    """Table, name and text of each CHECK, as Postgres prints them."""
    return set(
        rows(
            url,
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'c' AND connamespace = 'public'::regnamespace",
        )
    )


def column_defaults(url: str) -> set[tuple[object, ...]]:
    """Table, column and default of each column that has one."""
    return set(
        rows(
            url,
            "SELECT table_name, column_name, column_default FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_default IS NOT NULL",
        )
    )


def storage_parameters(url: str) -> set[tuple[object, ...]]:
    """Table and each storage parameter that is not the server's default."""
    statement = (
        "SELECT relname, unnest(reloptions) FROM pg_class WHERE relnamespace = "
        "'public'::regnamespace"
    )
    return set(rows(url, statement))


def grants(url: str, instance: str) -> set[tuple[object, ...]]:
    """What each service's role may do, by table and column."""
    return set(
        rows(
            url,
            "SELECT grantee, table_name, column_name, privilege_type FROM "
            "information_schema.column_privileges"
            " WHERE grantee LIKE %s UNION SELECT grantee, table_name, '', privilege_type"
            " FROM information_schema.table_privileges WHERE grantee LIKE %s",
            f"{instance}%",
            f"{instance}%",
        )
    )


@pytest.mark.parametrize("database", DATABASES)
def test_the_migrations_make_exactly_the_metadata(
    provisioned: Provisioned, database: schema.DatabaseName
) -> None:
    assert schema.differences(database, owner_url(provisioned, database)) == []


@pytest.mark.parametrize("database", DATABASES)
def test_checks_defaults_and_storage_are_those_of_the_metadata_too(
    provisioned: Provisioned, database: schema.DatabaseName, empty_database: str
) -> None:
    """alembic's comparison looks at none of them."""
    migrated = owner_url(provisioned, database)
    engine = sqlalchemy.create_engine(
        schema.sqlalchemy_url(empty_database), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        functions = rows(
            migrated,
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'journal_is_balanced'",
        )
        for (definition,) in functions:
            connection.exec_driver_sql(str(definition).replace("%", "%%"))
        METADATA[database].create_all(connection)
    assert check_constraints(migrated) == check_constraints(empty_database)
    assert column_defaults(migrated) == column_defaults(empty_database)
    assert storage_parameters(migrated) == storage_parameters(empty_database) != set()


@pytest.mark.parametrize("database", DATABASES)
def test_down_removes_everything_and_up_makes_the_same_again(
    postgres_url: str, database: schema.DatabaseName
) -> None:
    instance = f"venue_test_{secrets.token_hex(4)}"
    own = provision(postgres_url, instance)
    url = owner_url(own, database)
    try:
        before = (
            check_constraints(url),
            column_defaults(url),
            storage_parameters(url),
            grants(url, instance),
        )
        schema.downgrade(database, url, instance)
        left = rows(url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert {name for (name,) in left} <= {"alembic_version", "alembic_version_pkc"}
        assert (
            rows(url, "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
            == []
        )
        schema.upgrade(database, url, instance)
        assert schema.differences(database, url) == []
        after = (
            check_constraints(url),
            column_defaults(url),
            storage_parameters(url),
            grants(url, instance),
        )
        assert after == before
    finally:
        drop(postgres_url, instance)


@pytest.mark.parametrize(
    ("database", "before"), [("clearing_data", "clearing_0005"), ("market_data", "market_0003")]
)
def test_storage_and_retention_go_back_without_a_trace(
    postgres_url: str, database: schema.DatabaseName, before: str
) -> None:
    instance = f"venue_test_{secrets.token_hex(4)}"
    own = provision(postgres_url, instance)
    url = owner_url(own, database)
    try:
        newest = (storage_parameters(url), grants(url, instance))
        schema.downgrade(database, url, instance, before)
        left = storage_parameters(url)
        assert left == ({("orders", "fillfactor=80")} if database == "market_data" else set())
        assert not any(
            "DELETE" in grant and "refused_orders" in grant for grant in grants(url, instance)
        )
        schema.upgrade(database, url, instance)
        assert (storage_parameters(url), grants(url, instance)) == newest
    finally:
        drop(postgres_url, instance)


def test_an_upgrade_of_what_is_up_to_date_does_nothing(provisioned: Provisioned) -> None:
    before = rows(provisioned.owner_clearing_url, "SELECT * FROM alembic_version")
    schema.upgrade("clearing_data", provisioned.owner_clearing_url, provisioned.instance)
    assert rows(provisioned.owner_clearing_url, "SELECT * FROM alembic_version") == before


def test_provisioning_again_changes_only_passwords(
    provisioned: Provisioned, postgres_url: str
) -> None:
    def everything() -> list[list[tuple[object, ...]]]:
        tables = (
            "clients",
            "accounts",
            "securities",
            "securities_deposits",
            "journals",
            "settlement_reports",
        )
        return [
            rows(provisioned.owner_clearing_url, f"SELECT * FROM {table} ORDER BY 1, 2")
            for table in tables
        ]

    before = everything()
    chosen = {service: secrets.token_hex(8) for service in SERVICES}
    again = provision(postgres_url, provisioned.instance, chosen)
    assert everything() == before
    assert again.passwords == chosen
    for service in SERVICES:
        assert rows(again.clearing_url(service), "SELECT current_user") == [
            (f"{provisioned.instance}_{service}",)
        ]


def test_two_launchers_at_once_provision_one_venue(postgres_url: str) -> None:
    instance = f"venue_test_{secrets.token_hex(4)}"
    program = (
        "import sys; from tests.provisioning import provision_seeded;"
        " provision_seeded(*sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, postgres_url, instance]
    launchers = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        said = [launcher.communicate(timeout=60)[1] for launcher in launchers]
        assert [launcher.returncode for launcher in launchers] == [0, 0], said
        url = provision(postgres_url, instance).owner_clearing_url
        assert rows(url, "SELECT count(*) FROM securities") == [(len(bootstrap.SECURITIES),)]
    finally:
        drop(postgres_url, instance)


def test_the_first_state_balances_and_nobody_but_the_outside_world_is_short(
    provisioned: Provisioned,
) -> None:
    url = provisioned.owner_clearing_url
    assert (
        rows(url, "SELECT asset FROM ledger_entries GROUP BY asset HAVING sum(amount) <> 0") == []
    )
    assert rows(url, "SELECT sum(balance_e4) FROM accounts") == [(0,)]
    assert (
        rows(
            url, "SELECT security_id FROM securities_deposits GROUP BY 1 HAVING sum(quantity) <> 0"
        )
        == []
    )
    short = rows(url, "SELECT client_id FROM accounts WHERE balance_e4 < 0")
    assert short == [("bank",)]


def test_drop_leaves_no_database_and_no_role(postgres_url: str) -> None:
    instance = f"venue_test_{secrets.token_hex(4)}"
    provision(postgres_url, instance)
    drop(postgres_url, instance)
    drop(postgres_url, instance)
    assert (
        rows(postgres_url, "SELECT datname FROM pg_database WHERE datname LIKE %s", f"{instance}%")
        == []
    )
    assert (
        rows(postgres_url, "SELECT rolname FROM pg_roles WHERE rolname LIKE %s", f"{instance}%")
        == []
    )


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """URL of a database with nothing in it."""
    name = f"venue_test_{secrets.token_hex(4)}"
    connection = psycopg2.connect(postgres_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield postgres_url.rpartition("/")[0] + f"/{name}"
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


_TRADE = ("{a,c,c,b,b,c,c,a}", "{USD,USD,USD,USD,X,X,X,X}", "{-5,5,-5,5,-1,1,-1,1}")


@pytest.mark.parametrize(
    ("accounts", "assets", "amounts", "is_balanced"),
    [
        (*_TRADE, True),
        (_TRADE[0], _TRADE[1], "{-5,5,-5,6,-1,1,-1,1}", False),
        (_TRADE[0], _TRADE[1], "{-5,5,-5,5,-1,1,-1,0}", False),
        (_TRADE[0], _TRADE[1], "{-5,5,-5,6,-1,1,-1,0}", False),
        (_TRADE[0], "{USD,USD,USD,USD,USD,USD,USD,USD}", "{-5,5,-5,6,-1,1,-1,0}", True),
        (_TRADE[0], "{USD,USD,USD,X,X,X,X,X}", _TRADE[2], False),
        (_TRADE[0], "{USD,USD,USD,USD,X,X,X,NULL}", _TRADE[2], False),
        (_TRADE[0], _TRADE[1], "{-5,5,-5,5,-1,1,-1,NULL}", False),
        ("{a,c,c,b,b,c,c,NULL}", _TRADE[1], _TRADE[2], False),
        ("{a,c,c,b,b,c,c}", _TRADE[1], _TRADE[2], False),
        ("[0:7]={a,c,c,b,b,c,c,a}", _TRADE[1], _TRADE[2], False),
        (_TRADE[0], _TRADE[1], "[2:9]={-5,5,-5,5,-1,1,-1,1}", False),
        ("{a,b}", "{USD,USD}", "{-5,5}", True),
        ("{a,b}", "{USD,USD}", "{-5,4}", False),
        ("{a}", "{USD}", "{0}", False),
    ],
)
def test_a_journal_is_balanced_when_each_asset_sums_to_zero(
    provisioned: Provisioned, accounts: str, assets: str, amounts: str, is_balanced: bool
) -> None:
    statement = f"SELECT journal_is_balanced('{accounts}', '{assets}', '{amounts}')"
    assert rows(provisioned.owner_clearing_url, statement) == [(is_balanced,)]
