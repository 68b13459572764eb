"""The fee schedule in Postgres, inside a transaction of the clearinghouse."""

from service_runtime.database import Cursor
from venue_protocol.fee_schedule import STANDARD, FeeRow, FeeSchedule
from venue_storage.listed_fees import read_fees


class PostgresFeeTable:
    """The FeeTable on a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def lock(self) -> FeeSchedule:
        """The schedule; nobody else changes it before the transaction ends. Gateways read on."""
        self._cursor.execute("LOCK TABLE fee_schedule, fee_tiers IN SHARE ROW EXCLUSIVE MODE")
        return self.read()

    def read(self) -> FeeSchedule:
        """The schedule."""
        return FeeSchedule(*read_fees(self._cursor))

    def put(self, row: FeeRow) -> None:
        """Insert or replace a row."""
        self._cursor.execute(
            "INSERT INTO fee_schedule (security_id, tier, maker_bps, taker_bps, auction_bps)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (security_id, tier) DO UPDATE SET"
            " maker_bps = excluded.maker_bps, taker_bps = excluded.taker_bps,"
            " auction_bps = excluded.auction_bps",
            row,
        )

    def remove(self, security_id: str, tier: str) -> None:
        """Remove a row, if it is there."""
        self._cursor.execute(
            "DELETE FROM fee_schedule WHERE security_id = %s AND tier = %s", (security_id, tier)
        )

    def set_tier(self, client_id: str, tier: str) -> None:
        """Put a client into a tier."""
        if tier == STANDARD:
            self._cursor.execute("DELETE FROM fee_tiers WHERE client_id = %s", (client_id,))
            return
        self._cursor.execute(
            "INSERT INTO fee_tiers (client_id, tier) VALUES (%s, %s)"
            " ON CONFLICT (client_id) DO UPDATE SET tier = excluded.tier",
            (client_id, tier),
        )
