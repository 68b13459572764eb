"""Reading the record: orders, reports, fills, trades, settlement reports. Pages are bounded by
their callers.
"""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from market_data_feed.adapters.trade_rows import TRADES
from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.trade_corrections import TradeCorrectionRow
from service_runtime.database import Database
from venue_protocol import codec
from venue_protocol.orders import OrderStatus, OrderType, Side, TimeInForce
from venue_protocol.settlement import SettlementReport

NEWEST = 2**62
"""Above every sequence and id."""

_ORDER = """
SELECT order_id, client_id, client_order_id, security_id, side, order_type, time_in_force,
quantity, price_e4, filled,
    leaves, notional_e4, status, reason, accepted_us, updated_us, event_sequence, visible,
    triggered_us, terms, fees
FROM orders
"""
_REPORT = """
SELECT r.client_id, r.event_sequence, r.kind, r.time_us, r.order_id, r.previous_sequence,
r.security_id, r.side,
    r.quantity, r.price_e4, r.filled, r.leaves, r.status, r.reason, r.trade_id, r.last_quantity,
    r.last_price_e4,
    r.is_aggressor, o.client_order_id, r.fee_e4,
    CASE c.correction_kind WHEN 'bust' THEN 'busted' WHEN 'correction' THEN 'corrected'
        ELSE 'good' END
FROM order_reports AS r LEFT JOIN orders AS o USING (order_id)
LEFT JOIN LATERAL (
    SELECT correction_kind FROM trade_corrections AS c
    WHERE r.kind = 'trade' AND c.security_id = r.security_id AND c.trade_id = r.trade_id
    ORDER BY c.sequence DESC LIMIT 1
) AS c ON true
"""

# From the order's newest report back along previous_sequence, as far as the page before: one key
# lookup a report. Reports have no index by order; a client's own may be millions. OFFSET 0 keeps
# the planner from joining all of them at each step, as it does while its statistics are old.
_REPORTS_OF_ORDER = f"""
WITH RECURSIVE chain(sequence) AS (
    SELECT event_sequence FROM orders WHERE order_id = %(order_id)s
    UNION ALL
    SELECT previous_sequence FROM chain CROSS JOIN LATERAL (
        SELECT previous_sequence FROM order_reports
        WHERE client_id = %(client_id)s AND event_sequence = sequence
        OFFSET 0
    ) AS report
    WHERE previous_sequence > %(after)s
), wanted AS (
    (SELECT sequence FROM chain WHERE sequence > %(after)s ORDER BY sequence LIMIT %(limit)s)
    UNION ALL
    (SELECT event_sequence FROM order_reports
     WHERE order_id = %(order_id)s AND client_id = %(client_id)s AND kind IN ('cancel_rejected',
     'amend_rejected')
        AND event_sequence > %(after)s
     ORDER BY event_sequence LIMIT %(limit)s)
)
{_REPORT} JOIN wanted ON r.client_id = %(client_id)s AND r.event_sequence = wanted.sequence
ORDER BY r.event_sequence LIMIT %(limit)s
"""


class OrderRecord(msgspec.Struct, frozen=True, gc=False):
    """One row of orders."""

    order_id: int
    client_id: str
    client_order_id: str | None
    security_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    price_e4: int
    filled: int
    leaves: int
    notional_e4: int
    status: OrderStatus
    reason: str | None
    accepted_us: int
    updated_us: int
    event_sequence: int
    visible: int
    triggered_us: int | None
    terms: str | None
    """JSON."""
    fees: str | None
    """JSON; None: it costs nothing."""


@dataclass(frozen=True, slots=True)
class RefusedOrder:
    """One row of refused_orders."""

    gateway_run: str
    number: int
    """Among the refusals of its gateway run."""
    client_id: str
    client_order_id: str | None
    security_id: str | None
    side: str | None
    quantity: int | None
    reason: str
    message: str
    time_us: int


class RefusalCursor(NamedTuple):
    """A place in the list of refused orders: many of one commit share their time."""

    time_us: int
    number: int
    gateway_run: str

    def as_row(self) -> tuple[int, int, str]:
        """In the order by which the list is sorted."""
        return self.time_us, self.number, self.gateway_run


NEWEST_REFUSAL = RefusalCursor(NEWEST, 0, "")
"""Before the first of the list."""

# Refused orders have no number of their own: the time, and then their key, put them in order.
_REFUSED_ORDERS = """
SELECT gateway_run, number, client_id, client_order_id, security_id, side, quantity, reason,
message, time_us
FROM refused_orders WHERE client_id >= %s AND (client_id, time_us) <= (%s, %s)
AND (time_us, number, gateway_run) < (%s, %s, %s)
ORDER BY client_id DESC, time_us DESC, number DESC, gateway_run DESC LIMIT %s
"""


_SETTLEMENTS_OF_ALL = """
SELECT sequence, report FROM settlements WHERE sequence > %(after)s AND sequence <= %(through)s
ORDER BY sequence LIMIT %(limit)s
"""
# Rows are compared, and ordered by client too, for only the index that begins with the client
# gives that order. With `client_id = …` Postgres may walk the primary key, and so past the rows of
# all other clients.
SETTLEMENTS_OF_CLIENT = """
SELECT sequence, report FROM settlements
WHERE (client_id, sequence) > (%(client_id)s, %(after)s)
AND (client_id, sequence) <= (%(client_id)s, %(through)s)
ORDER BY client_id, sequence LIMIT %(limit)s
"""


class Records:
    """The market_data database, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def order(self, order_id: int) -> OrderRecord | None:
        """One order, or None if it was never recorded."""
        with self._database.transaction() as cursor:
            cursor.execute(f"{_ORDER} WHERE order_id = %s", (order_id,))
            row = cursor.fetchone()
        return OrderRecord(*row) if row else None

    def orders(self, client_id: str, is_open: bool, before: int, limit: int) -> list[OrderRecord]:
        """A client's newest orders with ids below `before`, newest first; only open ones if
        asked.
        """
        condition = " AND status IN ('new', 'partially_filled')" if is_open else ""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"{_ORDER} WHERE client_id >= %s AND (client_id, order_id) < (%s, %s){condition}"
                " ORDER BY client_id DESC, order_id DESC LIMIT %s",
                (client_id, client_id, before, limit),
            )
            return [OrderRecord(*row) for row in cursor]

    def reports_of_order(
        self, client_id: str, order_id: int, after: int, limit: int
    ) -> list[ExecutionReport]:
        """An order's reports with event_sequence > after, oldest first."""
        asked = {"client_id": client_id, "order_id": order_id, "after": after, "limit": limit}
        with self._database.transaction() as cursor:
            cursor.execute(_REPORTS_OF_ORDER, asked)
            return [ExecutionReport(*row) for row in cursor]

    def reports(
        self,
        client_id: str,
        after: int,
        limit: int,
        fills_only: bool = False,
        through: int = NEWEST,
    ) -> list[ExecutionReport]:
        """A client's execution reports with after < event_sequence <= through, oldest first."""
        condition = " AND r.kind = 'trade'" if fills_only else ""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"{_REPORT} WHERE r.client_id = %s AND r.event_sequence > %s AND r.event_sequence "
                f"<= %s{condition}"
                " ORDER BY r.event_sequence LIMIT %s",
                (client_id, after, through, limit),
            )
            return [ExecutionReport(*row) for row in cursor]

    def last_report(self, client_id: str, through: int, fills_only: bool = False) -> int:
        """Sequence of the client's newest report (or fill) up to `through`; 0 if there is none."""
        condition = " AND kind = 'trade'" if fills_only else ""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT max(event_sequence) FROM order_reports WHERE client_id = %s AND "
                "event_sequence <= %s"
                f"{condition}",
                (client_id, through),
            )
            return cursor.fetchone()[0] or 0

    def trades_before(self, security_id: str, before: int, limit: int) -> list[RecordedTrade]:
        """The newest trades of a security with ids below `before`, newest first."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"{TRADES} WHERE t.security_id = %s AND t.trade_id < %s"
                " ORDER BY t.trade_id DESC LIMIT %s",
                (security_id, before, limit),
            )
            return [RecordedTrade(*row) for row in cursor]

    def trades_after(
        self, security_id: str, after: int, limit: int, through: int = NEWEST
    ) -> list[RecordedTrade]:
        """Trades of a security with after < trade_id <= through, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"{TRADES} WHERE t.security_id = %s AND t.trade_id > %s AND t.trade_id <= %s"
                " ORDER BY t.trade_id LIMIT %s",
                (security_id, after, through, limit),
            )
            return [RecordedTrade(*row) for row in cursor]

    def corrections(
        self, security_id: str, after: int, limit: int, through: int = NEWEST
    ) -> list[TradeCorrectionRow]:
        """Busts and corrections of a security with after < sequence <= through, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(TradeCorrectionRow._fields)} FROM trade_corrections"
                " WHERE security_id = %s AND sequence > %s AND sequence <= %s"
                " ORDER BY sequence LIMIT %s",
                (security_id, after, through, limit),
            )
            return [TradeCorrectionRow(*row) for row in cursor]

    def last_correction(self, security_id: str, through: int) -> int:
        """Sequence of the security's newest correction up to `through`; 0 if there is none."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT max(sequence) FROM trade_corrections"
                " WHERE security_id = %s AND sequence <= %s",
                (security_id, through),
            )
            return cursor.fetchone()[0] or 0

    def settlements(
        self, client_id: str | None, after: int, limit: int, through: int = NEWEST
    ) -> list[SettlementReport]:
        """Settlement reports with after < sequence <= through, oldest first; of one client, or of
        all.
        """
        return [
            codec.decode_report(text)
            for _, text in self.settlement_texts(client_id, after, limit, through)
        ]

    def settlement_texts(
        self, client_id: str | None, after: int, limit: int, through: int = NEWEST
    ) -> list[tuple[int, str]]:
        """The same reports as (sequence, JSON as the clearinghouse sealed it): the text its hash is
        made from.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                _SETTLEMENTS_OF_ALL if client_id is None else SETTLEMENTS_OF_CLIENT,
                {"client_id": client_id, "after": after, "through": through, "limit": limit},
            )
            return list(cursor.fetchall())

    def last_settlement(self, client_id: str, through: int) -> int:
        """Sequence of the client's newest settlement report up to `through`; 0 if there is none."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT max(sequence) FROM settlements WHERE client_id = %s AND sequence <= %s",
                (client_id, through),
            )
            return cursor.fetchone()[0] or 0

    def refused_orders(
        self, client_id: str, after: RefusalCursor, limit: int
    ) -> list[RefusedOrder]:
        """The orders that the door refused a client, newest first; those behind `after`."""
        with self._database.transaction() as cursor:
            page = (client_id, client_id, after.time_us, *after.as_row(), limit)
            cursor.execute(_REFUSED_ORDERS, page)
            return [RefusedOrder(*row) for row in cursor]
