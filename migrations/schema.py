"""Upgrade, downgrade and compare the schema of one database."""

from pathlib import Path
from typing import Any, Literal

import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from venue_storage import (
    action_tables,
    clearing_data,
    enrollment_tables,
    fee_tables,
    loan_tables,
    market_data,
    netting_tables,
    proposal_tables,
)

DatabaseName = Literal["clearing_data", "market_data"]
_FURTHER_TABLES = (
    action_tables,
    enrollment_tables,
    fee_tables,
    loan_tables,
    netting_tables,
    proposal_tables,
)
"""Modules that add tables to the metadata of `clearing_data`."""
_METADATA = {"clearing_data": clearing_data.metadata, "market_data": market_data.metadata}
_FOLDER = Path(__file__).parent


def upgrade(
    database: DatabaseName, owner_url: str, role_prefix: str, revision: str = "head"
) -> None:
    """Bring the schema to `revision`.

    Grants go to the roles `{role_prefix}_{service}`, which must exist.
    """
    _with_connection(
        database, owner_url, role_prefix, lambda config: command.upgrade(config, revision)
    )


def downgrade(
    database: DatabaseName, owner_url: str, role_prefix: str, revision: str = "base"
) -> None:
    """Take the schema back to `revision`."""
    _with_connection(
        database, owner_url, role_prefix, lambda config: command.downgrade(config, revision)
    )


def differences(database: DatabaseName, owner_url: str) -> list[Any]:
    """What alembic finds different between database and metadata; [] when they are equal."""
    engine = sqlalchemy.create_engine(sqlalchemy_url(owner_url), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), _METADATA[database]))


def sqlalchemy_url(libpq_url: str) -> str:
    """The same URL for SQLAlchemy's psycopg2 dialect."""
    return "postgresql+psycopg2://" + libpq_url.split("://", 1)[1]


def _with_connection(database: DatabaseName, owner_url: str, role_prefix: str, action: Any) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("version_locations", str(_FOLDER / database / "versions"))
    config.set_main_option("path_separator", "os")
    engine = sqlalchemy.create_engine(sqlalchemy_url(owner_url), poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        # Two launchers at once: the second waits here and then finds nothing to do.
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(20101224)"))
        config.attributes["connection"] = connection
        config.attributes["metadata"] = _METADATA[database]
        config.attributes["role_prefix"] = role_prefix
        action(config)
