"""Open obligations in Postgres: read whole for a cycle, written as sums of what was added."""

from collections.abc import Sequence

from clearinghouse.domain.ledger import Ledger, Position
from service_runtime.copy_text import copy_text
from service_runtime.database import Cursor
from venue_protocol.netting_book import NettingBook
from venue_protocol.obligations import CycleRow, DeliveryTerms, ObligationRow, VolumeRow

_ADD_OBLIGATIONS = """
INSERT INTO net_obligations AS open SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::text[],
 %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (shard, cycle, client_id, security_id) DO UPDATE SET
 quantity = open.quantity + excluded.quantity, cash_e4 = open.cash_e4 + excluded.cash_e4,
 failed = open.failed + excluded.failed,
 failing_since = open.failing_since + excluded.failing_since,
 mark_e4 = open.mark_e4 + excluded.mark_e4
"""
_ADD_VOLUMES = """
INSERT INTO net_volumes AS open SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::text[],
 %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (shard, cycle, security_id) DO UPDATE SET trades = open.trades + excluded.trades,
 quantity = open.quantity + excluded.quantity, value_e4 = open.value_e4 + excluded.value_e4
"""


def read_netting(cursor: Cursor) -> NettingBook:
    """All that is open. Whoever changes it holds the settlement head."""
    book = NettingBook()
    cursor.execute(f"SELECT {', '.join(ObligationRow._fields)} FROM net_obligations")
    obligations = [ObligationRow(*row) for row in cursor]
    cursor.execute(f"SELECT {', '.join(VolumeRow._fields)} FROM net_volumes")
    volumes = [VolumeRow(*row) for row in cursor]
    cursor.execute(f"SELECT {', '.join(DeliveryTerms._fields)} FROM delivery_terms")
    book.load(obligations, volumes, [DeliveryTerms(*row) for row in cursor])
    return book


def read_open_deposits(cursor: Cursor, ledger: Ledger) -> None:
    """The deposits of all that is open. They are not locked: a cycle does not change them, and only
    who holds the settlement head changes their quantity.
    """
    cursor.execute(
        "SELECT client_id, security_id, deposit.quantity, held, is_external"
        " FROM securities_deposits AS deposit WHERE (client_id, security_id) IN"
        " (SELECT client_id, security_id FROM net_obligations)"
    )
    for client_id, security_id, quantity, held, is_external in cursor:
        ledger.positions[client_id, security_id] = Position(quantity, held, is_external)


def write_netting(cursor: Cursor, book: NettingBook) -> None:
    """Remove what settled, add what was added, and note the cycles."""
    for shard, number in book.settled.items():
        for table in ("net_obligations", "net_volumes"):
            cursor.execute(f"DELETE FROM {table} WHERE shard = %s AND cycle <= %s", (shard, number))
    # In the order of the keys, so that two transactions that add to the same rows never deadlock.
    if obligations := book.added_rows():
        cursor.execute(_ADD_OBLIGATIONS, _columns(obligations))
    if volumes := book.added_volume_rows():
        cursor.execute(_ADD_VOLUMES, _columns(volumes))
    if book.changed:
        names = sorted(book.changed)
        cursor.execute(
            "DELETE FROM delivery_terms USING unnest(%s::text[], %s::text[]) AS gone(client_id,"
            " security_id) WHERE (delivery_terms.client_id, delivery_terms.security_id)"
            " = (gone.client_id, gone.security_id)",
            _columns(names),
        )
        terms = [term for term in map(book.terms_of, names) if any(term[2:])]
        if terms:
            cursor.execute(
                "INSERT INTO delivery_terms SELECT * FROM unnest(%s::text[], %s::text[],"
                " %s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[])",
                _columns(terms),
            )
    if book.cycles:
        columns = ", ".join(CycleRow._fields)
        rows = ["\t".join(map(str, row)) + "\n" for row in book.cycles]
        copy_text(cursor, f"settlement_cycles ({columns})", rows)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
