"""Deleting refused orders, the oldest first.

A crash may bring the last ones back: they are deleted again.
"""

from service_runtime.database import Cursor

# Rows are found along the index on time_us, from where the last batch ended: what is deleted but
# not yet vacuumed
# would be passed over again by each batch. Rows that another process deletes meanwhile are left to
# it.
_DELETE_OLDEST = """
DELETE FROM refused_orders WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM refused_orders WHERE time_us >= %s AND time_us < %s ORDER BY time_us LIMIT %s))
RETURNING time_us
"""


def delete_oldest(cursor: Cursor, from_us: int, before_us: int, most: int) -> list[int]:
    """Delete the `most` oldest of from_us <= time_us < before_us; their times.

    The commit waits for no disk.
    """
    # Along the index also before the table was ever analyzed: sorting would read all that is too
    # old each time.
    cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL enable_sort = off")
    cursor.execute(_DELETE_OLDEST, (from_us, before_us, most))
    return [time_us for (time_us,) in cursor]


def about_how_many(cursor: Cursor) -> int:
    """How many refused orders there are, as Postgres estimates without reading them."""
    cursor.execute("SELECT pg_stat_get_live_tuples('refused_orders'::regclass)")
    return int(cursor.fetchone()[0])
