"""Marks of all securities, and who gained from whom at them, read from the record."""

import threading

from market_data_feed.adapters.listings import Listings
from market_data_feed.domain.mark import MOST_TRADES, MarkTrade, mark
from market_data_feed.domain.transfers import PairTrades, Transfer, transfers
from service_runtime.database import Database
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security

_NEWEST_TRADES = """
SELECT time_us, price_e4, quantity, buy_client_id, sell_client_id FROM trades
WHERE security_id = %s ORDER BY trade_id DESC LIMIT %s
"""
_NEWEST_ID = "SELECT max(trade_id) FROM trades WHERE security_id = %s"
_PAIRS = """
SELECT buy_client_id, sell_client_id, security_id, count(*), sum(quantity),
    sum(price_e4::numeric * quantity)
FROM trades GROUP BY buy_client_id, sell_client_id, security_id
"""


class Marks:
    """The marks as the record has them; for any thread.

    A mark is remembered with the newest trade it was made from, so a client that fills the record
    with trades of its own does not make the venue forget what others said before.
    """

    def __init__(self, market_data: Database, listings: Listings) -> None:
        self._market_data = market_data
        self._listings = listings
        self._known: dict[str, tuple[int, int]] = {}
        """Newest trade and mark by security."""
        self._lock = threading.Lock()
        self._reporting = threading.Lock()

    def read(self) -> dict[str, int]:
        """The mark of each listed security, ten-thousandths of a dollar."""
        with self._lock:
            return {listed.security_id: self._mark(listed) for listed in self._listings.all()}

    def transfers(self) -> list[Transfer]:
        """Who gained from whom, the largest first. It reads all trades, so one at a time."""
        if not self._reporting.acquire(blocking=False):
            raise refuse(RejectReason.OVERLOADED, "this report is being made: ask again later")
        try:
            marks_e4 = self.read()
            with self._market_data.transaction() as cursor:
                cursor.execute(_PAIRS)
                pairs = [PairTrades(*row[:3], *map(int, row[3:])) for row in cursor]
        finally:
            self._reporting.release()
        return transfers(pairs, marks_e4)

    def _mark(self, listed: Security) -> int:
        security_id = listed.security_id
        known_id, known_e4 = self._known.get(security_id, (0, listed.reference_price_e4))
        with self._market_data.transaction() as cursor:
            cursor.execute(_NEWEST_ID, (security_id,))
            newest_id = cursor.fetchone()[0] or 0
            if newest_id == known_id:
                return known_e4
            cursor.execute(_NEWEST_TRADES, (security_id, MOST_TRADES))
            trades = [MarkTrade(*row) for row in cursor]
        # An average is seldom a price: down to the tick, as every price is shown and paid.
        found_e4 = mark(trades, known_e4) // listed.tick_e4 * listed.tick_e4
        self._known[security_id] = (newest_id, found_e4)
        return found_e4
