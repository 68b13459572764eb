"""How Postgres shall store and vacuum tables of a kind."""

APPENDED = {
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 200_000,
    "autovacuum_freeze_min_age": 0,
}
"""Of tables to which rows are only added: they are frozen soon after they came, while they are in
memory, and never visited again. By default autovacuum waits for a fifth of the table, and freezes
nothing until it must rewrite all.
"""
