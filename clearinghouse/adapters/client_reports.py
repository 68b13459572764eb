"""A client's settlement reports by the journals that they are of, without an index of these."""

from service_runtime.database import Cursor

OF_NO_JOURNAL = '%"journal_id":0,%'
"""A report of a trade that has no journal: it could not be settled, or it settles in a cycle."""


def first_report_after(cursor: Cursor, client_id: str, journal_id: int) -> int:
    """The client's number of its first report of a journal after this one.

    A binary search: a client's journals rise with its report numbers. A million reports take 20
    look-ups by the primary index.
    """
    cursor.execute("SELECT report_count FROM accounts WHERE client_id = %s", (client_id,))
    row = cursor.fetchone()
    low, high = 1, (row[0] if row else 0) + 1
    while low < high:
        middle = (low + high) // 2
        if _journal_of_report(cursor, client_id, middle) > journal_id:
            high = middle
        else:
            low = middle + 1
    return low


def _journal_of_report(cursor: Cursor, client_id: str, client_sequence: int) -> int:
    """Journal of the client's newest report up to this one that has a journal; 0 if none has."""
    cursor.execute(
        "SELECT (report::json->>'journal_id')::bigint FROM settlement_reports"
        " WHERE client_id = %s AND client_sequence <= %s AND report NOT LIKE %s"
        " ORDER BY client_sequence DESC LIMIT 1",
        (client_id, client_sequence, OF_NO_JOURNAL),
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
