"""Who has open orders: whose cash or shares are held, for every open order holds something."""

from service_runtime.database import Database

_WITH_HOLDS = """
SELECT client_id FROM accounts WHERE held_e4 > 0
UNION
SELECT client_id FROM securities_deposits
WHERE held > 0 AND (%(security)s::text IS NULL OR security_id = %(security)s)
ORDER BY client_id
"""


class PostgresOrderOwners:
    """The OrderOwners of `clearing_data`."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def with_open_orders(self, security_id: str | None) -> list[str]:
        """Clients that may have open orders (in this security).

        Held cash does not tell its security, so of the buyers all are named; a cancel that finds
        no order does nothing.
        """
        with self._clearing.transaction() as cursor:
            cursor.execute(_WITH_HOLDS, {"security": security_id})
            return [client_id for (client_id,) in cursor]

    def exists(self, client_id: str) -> bool:
        """Whether there is such a client."""
        with self._clearing.transaction() as cursor:
            cursor.execute("SELECT 1 FROM clients WHERE client_id = %s", (client_id,))
            return cursor.fetchone() is not None
