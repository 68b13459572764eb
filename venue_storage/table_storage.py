"""How Postgres stores and vacuums tables of a kind."""

APPENDED = {
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 200_000,
    "autovacuum_freeze_min_age": 0,
}
"""For tables to which rows are only added.

Rows are frozen soon after they came, while they are in memory, and then never visited again. By
default autovacuum would wait for a fifth of the table and freeze nothing until it must rewrite all
of it. 200,000 rows are some seconds of a busy venue.
"""
