"""Storage parameters of tables, as far as the server knows them."""

from collections.abc import Mapping

from alembic import op

APPENDED = {
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 200_000,
    "autovacuum_freeze_min_age": 0,
}
"""For tables to which rows are only added; venue_storage/table_storage.py says why.

Repeated here: a version stays what it was when the tables change.
"""


def set_storage(table: str, storage: Mapping[str, float]) -> None:
    """Set what the server knows of these parameters."""
    known = {name: value for name, value in storage.items() if _is_known(name)}
    op.execute(
        f"ALTER TABLE {table} SET "
        f"({', '.join(f'{name} = {value}' for name, value in known.items())})"
    )


def reset_storage(table: str, storage: Mapping[str, float]) -> None:
    """Back to the server's defaults."""
    op.execute(
        f"ALTER TABLE {table} RESET ({', '.join(name for name in storage if _is_known(name))})"
    )


def _is_known(name: str) -> bool:
    """Postgres 12 does not count inserted rows."""
    return "insert" not in name or op.get_bind().dialect.server_version_info >= (13,)
