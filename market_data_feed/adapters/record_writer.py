"""Writing the record: one transaction for what came together, with the positions reached."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from market_data_feed.adapters import record_rows
from market_data_feed.domain.inbox import DueRecord, PositionAdvance
from market_data_feed.domain.orders import BrokenStream, Fold
from market_data_feed.domain.trade_corrections import corrections_of
from service_runtime.database import Cursor
from venue_protocol import codec
from venue_protocol.orders import OrderTerms
from venue_protocol.streams import OrderReports

_COPY_CHUNK = 1 << 18
_MOST_OUTSIDE_TEXT = 256
_BIGINT_END = 2**63
_COPIED = ("orders", "order_reports", "trades", "settlements", "trade_corrections")
RefusalRow = tuple[Any, ...]
"""A row of refused_orders, in the order of its columns."""

# Refusals have no position: their key makes a redelivery do nothing.
_INSERT_REFUSALS = """
INSERT INTO refused_orders SELECT * FROM unnest(
    %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::bigint[], %s::text[], %s::text[], %s::bigint[])
ON CONFLICT DO NOTHING
"""

_PUT_SESSION_EVENTS = """
INSERT INTO session_events AS s SELECT * FROM unnest(
    %s::smallint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
ON CONFLICT (shard, security_id, kind) DO UPDATE SET event = excluded.event,
time_us = excluded.time_us,
    event_sequence = excluded.event_sequence
"""

_UPDATE_ORDERS = """
UPDATE orders AS o SET quantity = n.quantity, price_e4 = n.price_e4, filled = n.filled,
leaves = n.leaves,
    notional_e4 = n.notional_e4, status = n.status, reason = n.reason, updated_us = n.updated_us,
    event_sequence = n.event_sequence, visible = n.visible, triggered_us = n.triggered_us
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
%s::text[], %s::text[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS n(order_id, quantity, price_e4, filled, leaves, notional_e4, status, reason, updated_us,
    event_sequence,
        visible, triggered_us)
WHERE o.order_id = n.order_id AND o.event_sequence < n.event_sequence
"""


_UPDATE_TERMS = """
UPDATE orders AS o SET terms = n.terms, security_id = n.security_id
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(order_id, terms, security_id)
WHERE o.order_id = n.order_id
"""


@dataclass
class Record:
    """All rows of one transaction as text, ready to be written again should the first commit be in
    doubt.
    """

    advances: list[PositionAdvance]
    orders: str = ""
    order_updates: list[str] = field(default_factory=list)
    updated: int = 0
    terms: list[list[object]] = field(default_factory=list)
    """Ids, terms and symbols of the orders that corporate actions adjusted."""
    order_reports: str = ""
    trades: str = ""
    settlements: str = ""
    trade_corrections: str = ""
    refused_orders: list[RefusalRow] = field(default_factory=list)
    session_events: list[tuple[Any, ...]] = field(default_factory=list)
    """Rows in the order of the columns."""


def compose(due: DueRecord, fold: Fold) -> Record:
    """The rows of everything that is due; `fold` has folded its events."""
    touched = dict(fold.touched)
    new = [
        record_rows.order_row(event, at, touched.pop(event.order_id)) for event, at in fold.accepted
    ]
    changed = list(touched.values())
    return Record(
        due.advances,
        orders="".join(new),
        order_updates=[
            _array(order.order_id for order in changed),
            _array(order.quantity for order in changed),
            _array(order.price_e4 for order in changed),
            _array(order.filled for order in changed),
            _array(order.leaves for order in changed),
            _array(order.notional_e4 for order in changed),
            _array(order.status for order in changed),
            _array(order.reason or "NULL" for order in changed),
            _array(order.updated_us for order in changed),
            _array(order.event_sequence for order in changed),
            _array(order.visible for order in changed),
            _array(
                "NULL" if order.triggered_us is None else order.triggered_us for order in changed
            ),
        ],
        updated=len(changed),
        terms=_terms(fold),
        order_reports="".join(
            [record_rows.report_row(report) for effect in fold.effects for report in effect.reports]
        ),
        trades="".join(
            [
                record_rows.trade_row(recorded)
                for effect in fold.effects
                for recorded in effect.trades
            ]
        ),
        settlements="".join(
            [record_rows.settlement_row(r, codec.encode(r).decode()) for r in due.settlements]
        ),
        trade_corrections="".join(
            [record_rows.correction_row(row) for row in corrections_of(due.settlements)]
        ),
        refused_orders=list(refusal_rows(due.refusals)),
        session_events=[
            (*row.key, codec.encode(row.event).decode(), row.time_us, row.event_sequence)
            for row in fold.session.values()
        ],
    )


def write(cursor: Cursor, record: Record) -> None:
    """Write the record, unless its positions show that it is written.

    Safe to repeat after a commit in doubt.
    """
    moved = [_advance(cursor, advance) for advance in record.advances]
    if moved and not any(moved):
        return
    if not all(moved):
        raise BrokenStream("a part of this record is written already: another feed writes it too")
    for table in _COPIED:
        rows = getattr(record, table)
        if rows:
            cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(rows), _COPY_CHUNK)
    if record.updated:
        cursor.execute(_UPDATE_ORDERS, record.order_updates)
        if cursor.rowcount != record.updated:
            raise BrokenStream(
                f"{record.updated - cursor.rowcount} of {record.updated} orders have a newer record"
            )
    if record.terms:
        cursor.execute(_UPDATE_TERMS, record.terms)
    if record.session_events:
        cursor.execute(
            _PUT_SESSION_EVENTS,
            [list(column) for column in zip(*record.session_events, strict=True)],
        )
    if record.refused_orders:
        cursor.execute(
            _INSERT_REFUSALS, [list(column) for column in zip(*record.refused_orders, strict=True)]
        )


def _terms(fold: Fold) -> list[list[object]]:
    orders = [fold.touched[order_id] for order_id in sorted(fold.adjusted)]
    changed = [(order.order_id, encoded_terms(order.terms), order.security_id) for order in orders]
    return [list(column) for column in zip(*changed, strict=True)]


def encoded_terms(terms: OrderTerms | None) -> str | None:
    """Terms as the record has them."""
    return None if terms is None else codec.encode(terms).decode()


def _advance(cursor: Cursor, advance: PositionAdvance) -> bool:
    """Move the position on; False if it was moved already.

    BrokenStream if somebody else moved it elsewhere.
    """
    if advance.before == 0:
        cursor.execute(
            "INSERT INTO stream_positions VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (advance.stream, advance.after),
        )
    else:
        cursor.execute(
            "UPDATE stream_positions SET sequence = %s WHERE stream = %s AND sequence = %s",
            (advance.after, advance.stream, advance.before),
        )
    if cursor.rowcount == 1:
        return True
    cursor.execute("SELECT sequence FROM stream_positions WHERE stream = %s", (advance.stream,))
    row = cursor.fetchone()
    if row is not None and row[0] == advance.after:
        return False
    raise BrokenStream(
        f"{advance.stream} is at {row and row[0]}, not {advance.before}: another feed writes this "
        "record"
    )


def refusal_rows(refusals: list[OrderReports]) -> Iterator[RefusalRow]:
    """The rows of refused_orders for these reports; texts cut, numbers beyond bigint as None."""
    for batch in refusals:
        for number, refused in enumerate(batch.reports, batch.first):
            yield (
                _outside_text(batch.gateway_run),
                number,
                _outside_text(refused.client_id),
                _outside_text(refused.client_order_id),
                _outside_text(refused.security_id),
                _outside_text(refused.side),
                _bigint(refused.quantity),
                _outside_text(refused.reason),
                _outside_text(refused.message),
                batch.time_us,
            )


def _outside_text(value: str | None) -> str | None:
    """Text from outside the venue, cut and without what Postgres can't store."""
    return None if value is None else record_rows.storable_text(value[:_MOST_OUTSIDE_TEXT])


def _bigint(value: int | None) -> int | None:
    return value if value is not None and -_BIGINT_END <= value < _BIGINT_END else None


def _array(values: Iterable[object]) -> str:
    """An array literal of numbers, or of words that need no quoting."""
    return "{" + ",".join(map(str, values)) + "}"
