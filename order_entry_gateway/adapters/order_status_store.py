"""Order status for the gateway: the log says that an order exists, the record what became of it."""

import logging
from collections.abc import Sequence
from typing import Any

from order_entry_gateway.domain.recorded_order import RecordedOrder
from service_runtime.database import Cursor, Database, DatabaseUnavailable
from venue_protocol import codec
from venue_protocol.commands import PlaceOrder
from venue_protocol.identifiers import shard_and_number, sharded_id
from venue_protocol.order_views import fees_shown, price_shown, terms_shown, worst_price_shown

log = logging.getLogger(__name__)

_COLUMNS = (
    "order_id, status, filled, leaves, quantity, price_e4, reason, updated_us, triggered_us, terms"
)

# A rejected cancel or amend does not change the order's row; its report tells when it was answered.
_RECORDED_ORDERS = """
SELECT order_id, client_id, status, quantity, price_e4, greatest(updated_us, (
    SELECT max(time_us) FROM order_reports AS r
    WHERE r.order_id = o.order_id AND r.client_id = o.client_id
      AND r.kind IN ('cancel_rejected', 'amend_rejected')
)) FROM orders AS o WHERE order_id = ANY (%s)
"""


class OrderStatusStore:
    """Reads orders; never writes."""

    def __init__(self, clearing: Database, market: Database) -> None:
        self._clearing = clearing
        self._market = market

    def order(self, order_id: int) -> tuple[str, dict[str, Any]] | None:
        """Owner and description of one order, or None if there is no such order."""
        shard, sequence = shard_and_number(order_id)
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT shard, sequence, time_us, client_id, command FROM order_log"
                " WHERE shard = %s AND sequence = %s AND command LIKE %s",
                (shard, sequence, '{"kind":"place_order"%'),
            )
            rows = cursor.fetchall()
        described = self._described(rows)
        return (rows[0][3], described[0]) if rows else None

    def orders(
        self, client_id: str, is_open: bool, before: int, limit: int
    ) -> list[dict[str, Any]]:
        """A client's newest orders as recorded, newest first, with ids below `before`."""
        condition = " AND status IN ('new', 'partially_filled')" if is_open else ""
        with self._market.transaction() as cursor:
            # Not `client_id = …`: Postgres would walk past the newer orders of all others.
            cursor.execute(
                "SELECT order_id FROM orders"
                f" WHERE client_id >= %s AND (client_id, order_id) < (%s, %s){condition}"
                " ORDER BY client_id DESC, order_id DESC LIMIT %s",
                (client_id, client_id, before, limit),
            )
            wanted = [shard_and_number(order_id) for (order_id,) in cursor]
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT shard, sequence, time_us, client_id, command FROM order_log"
                " JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted(shard, sequence) USING "
                "(shard, sequence)"
                " ORDER BY shard DESC, sequence DESC",
                ([shard for shard, _ in wanted], [sequence for _, sequence in wanted]),
            )
            rows = cursor.fetchall()
        return self._described(rows)

    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """These orders as recorded; {} when market_data is away.

        It saves the client a round trip; the engine decides.
        """
        wanted = [order_id for order_id in order_ids if 0 < order_id < 1 << 53]
        if not wanted:
            return {}
        try:
            with self._market.transaction() as cursor:
                cursor.execute(_RECORDED_ORDERS, (wanted,))
                return {row[0]: RecordedOrder(*row) for row in cursor}
        except DatabaseUnavailable as error:
            log.warning("market_data is away, the engine will decide", extra={"error": str(error)})
            return {}

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """Order ids by client_order_id, for those of these names that the client has used."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT client_order_id, shard, sequence, amended_order_id FROM order_log"
                " WHERE client_id = %s AND client_order_id = ANY (%s)",
                (client_id, list(names)),
            )
            return {
                name: amended or sharded_id(shard, sequence)
                for name, shard, sequence, amended in cursor
            }

    def _described(self, rows: Sequence[tuple[int, int, int, str, str]]) -> list[dict[str, Any]]:
        ids = [sharded_id(shard, sequence) for shard, sequence, *_ in rows]
        with self._market.transaction() as cursor:
            recorded = _recorded(cursor, ids)
        return [
            _describe(order_id, time_us, codec.decode_command(text), recorded.get(order_id))
            for order_id, (_, _, time_us, _, text) in zip(ids, rows, strict=True)
        ]


def _recorded(cursor: Cursor, order_ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    cursor.execute(f"SELECT {_COLUMNS} FROM orders WHERE order_id = ANY (%s)", (list(order_ids),))
    return {row[0]: row for row in cursor}


def _describe(
    order_id: int, time_us: int, command: object, recorded: tuple[Any, ...] | None
) -> dict[str, Any]:
    """The order as its owner sees it; as it was accepted, until the feed has recorded it."""
    assert type(command) is PlaceOrder
    status, filled, leaves = "new", 0, command.quantity
    quantity, price_e4, reason, updated_us = command.quantity, command.price_e4, None, time_us
    triggered_us, terms = None, command.terms
    if recorded is not None:
        (_, status, filled, leaves, quantity, price_e4, reason, updated_us, triggered_us, text) = (
            recorded
        )
        terms = codec.decode_terms(text)
    return {
        "order_id": order_id,
        "client_order_id": command.client_order_id,
        "security": command.security_id,
        "side": command.side,
        "type": command.order_type,
        "time_in_force": command.time_in_force,
        "quantity": quantity,
        "price": price_shown(command.order_type, price_e4),
        "worst_price": worst_price_shown(command.order_type, price_e4),
        **terms_shown(terms),
        "fees": fees_shown(command.fees),
        "status": status,
        "filled": filled,
        "leaves": leaves,
        "reason": reason,
        "accepted_us": time_us,
        "updated_us": updated_us,
        "triggered_us": triggered_us,
    }
