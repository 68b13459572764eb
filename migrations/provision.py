"""Databases, roles and schemas of one venue instance on one Postgres server."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

if TYPE_CHECKING:
    from migrations.schema import DatabaseName

SERVICES = ("order_entry_gateway", "matching_engine", "clearinghouse", "market_data_feed")
DATABASES: "tuple[DatabaseName, ...]" = ("clearing_data", "market_data")


@dataclass(frozen=True)
class Provisioned:
    """Where an instance's databases are, for their owner and for each service's role."""

    server_url: str
    instance: str
    passwords: Mapping[str, str]

    @property
    def owner_clearing_url(self) -> str:
        """clearing_data with the server URL's own (owner) role."""
        return _with_database(self.server_url, f"{self.instance}_clearing_data")

    @property
    def owner_market_url(self) -> str:
        """market_data with the server URL's own (owner) role."""
        return _with_database(self.server_url, f"{self.instance}_market_data")

    def clearing_url(self, service: str) -> str:
        """clearing_data with the role of `service`."""
        return _with_role(
            self.owner_clearing_url, f"{self.instance}_{service}", self.passwords[service]
        )

    def market_url(self, service: str) -> str:
        """market_data with the role of `service`."""
        return _with_role(
            self.owner_market_url, f"{self.instance}_{service}", self.passwords[service]
        )


def provision(
    server_url: str, instance: str, passwords: Mapping[str, str] | None = None
) -> Provisioned:
    """Make what is missing of databases, roles and schemas; idempotent.

    Of two launchers at once the second waits for the first. `server_url` is a libpq URL of a role
    that may create databases and roles; `instance` is lower-case letters, digits and `_`. The
    roles get the passwords given, or else new random ones.
    """
    # Alembic and SQLAlchemy take half a second to load, and a reader of a `Provisioned` needs none.
    from migrations import schema

    passwords = passwords or {service: secrets.token_urlsafe(24) for service in SERVICES}
    provisioned = Provisioned(server_url, instance, passwords)
    connection = psycopg2.connect(server_url, connect_timeout=5)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_lock(hashtext(%s))", (f"venue provision {instance}",)
            )
            for service in SERVICES:
                _ensure_role(cursor, f"{instance}_{service}", passwords[service])
            for database in DATABASES:
                _ensure_database(cursor, f"{instance}_{database}")
        schema.upgrade("clearing_data", provisioned.owner_clearing_url, instance)
        schema.upgrade("market_data", provisioned.owner_market_url, instance)
    finally:
        connection.close()
    return provisioned


def drop(server_url: str, instance: str) -> None:
    """Remove the instance's databases and roles; what does not exist is passed over."""
    connection = psycopg2.connect(server_url, connect_timeout=5)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for database in DATABASES:
                name = sql.Identifier(f"{instance}_{database}")
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            for service in SERVICES:
                cursor.execute(
                    sql.SQL("DROP ROLE IF EXISTS {}").format(
                        sql.Identifier(f"{instance}_{service}")
                    )
                )
    finally:
        connection.close()


def _ensure_role(cursor: psycopg2.extensions.cursor, role: str, password: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    statement = sql.SQL(f"{verb} ROLE {{}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {{}}")
    cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def _ensure_database(cursor: psycopg2.extensions.cursor, database: str) -> None:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
    if cursor.fetchone() is None:
        name = sql.Identifier(database)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(name)
        )
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    for service in SERVICES:
        role = sql.Identifier(f"{database.rsplit('_', 2)[0]}_{service}")
        cursor.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), role)
        )


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _with_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password)}@{address}"))
