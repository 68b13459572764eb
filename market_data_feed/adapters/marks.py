"""Marks of all securities, and who gained from whom at them, read from the record."""

import logging
import threading
from typing import NamedTuple

from market_data_feed.domain.transfers import PairTrades, Transfer, transfers
from service_runtime.database import Database, DatabaseUnavailable
from venue_protocol.mark import MOST_TRADES, MarkTrade, mark
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security
from venue_storage.listed_securities import ListedSecurities
from venue_storage.standing_trades import ALL_STANDING_TRADES, STANDING_TRADES

log = logging.getLogger(__name__)

_EVERY_S = 5.0
"""So often marks are made anew, asked for or not: then nobody waits for many trades."""
_KEPT = "SELECT security_id, trade_id, mark_e4, corrected FROM marks"
_KEEP = """
INSERT INTO marks (security_id, trade_id, mark_e4, corrected) VALUES (%s, %s, %s, %s)
ON CONFLICT (security_id) DO UPDATE SET trade_id = EXCLUDED.trade_id, mark_e4 = EXCLUDED.mark_e4,
    corrected = EXCLUDED.corrected
"""
_CORRECTED = "SELECT coalesce(max(sequence), 0) FROM trade_corrections WHERE security_id = %s"
_STEP_END = """
SELECT max(trade_id) FROM (
    SELECT trade_id FROM trades WHERE security_id = %s AND trade_id > %s ORDER BY trade_id LIMIT %s
) AS step
"""
_NEWEST_TRADES = f"""
SELECT time_us, price_e4, quantity, buy_client_id, sell_client_id FROM {STANDING_TRADES}
WHERE security_id = %s AND trade_id <= %s ORDER BY trade_id DESC LIMIT %s
"""
_PAIRS = f"""
SELECT buy_client_id, sell_client_id, security_id, count(*), sum(quantity),
    sum(price_e4::numeric * quantity)
FROM {ALL_STANDING_TRADES} GROUP BY buy_client_id, sell_client_id, security_id
"""


class _Known(NamedTuple):
    """A mark, the newest trade that it was made from, and the newest correction it knows of."""

    trade_id: int
    mark_e4: int
    corrected: int


class Marks:
    """The marks as the record has them; for any thread.

    A mark is kept with the newest trade it was made from, and goes on from there in steps of
    MOST_TRADES at most. So no trade is passed over, and a client that fills the record with trades
    of its own does not make the venue forget what others said before, restarted or not.

    Busted trades have no voice, corrected ones speak as corrected: after a bust or correction the
    mark is made anew from the first trade, as if the tape had always been so. So it is after a
    corporate action, with the trades from before a split at the price of a share of now.
    """

    def __init__(self, market_data: Database, listings: ListedSecurities) -> None:
        self._market_data = market_data
        self._listings = listings
        self._known: dict[str, _Known] | None = None
        """By security; None until the kept ones are read."""
        self._lock = threading.Lock()
        self._reporting = threading.Lock()

    def read(self) -> dict[str, int]:
        """The mark of each listed security, ten-thousandths of a dollar."""
        return {listed.security_id: self._mark(listed) for listed in self._listings.all()}

    def actions(self) -> dict[str, int]:
        """The newest corporate action of each listing, read now."""
        self._listings.refresh()
        return {name: listed.action_id for name, listed in self._listings.items()}

    def follow(self, stopping: threading.Event) -> None:
        """Until stopping, make the marks anew every few seconds."""
        while not stopping.wait(_EVERY_S):
            try:
                for listed in self._listings.all():
                    if stopping.is_set():
                        return
                    self._mark(listed)
            except DatabaseUnavailable:
                log.debug("marks not made: the database is away")

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
        with self._lock:
            if self._known is None:
                self._known = self._kept()
            known = self._known.get(listed.security_id, _Known(0, self._first_e4(listed), 0))
            corrected = self._corrected(listed)
            if corrected > known.corrected:
                known = _Known(0, self._first_e4(listed), corrected)
            while (following := self._step(listed, known)) is not None:
                self._known[listed.security_id] = known = following
            return known.mark_e4

    def _kept(self) -> dict[str, _Known]:
        with self._market_data.transaction() as cursor:
            cursor.execute(_KEPT)
            return {security_id: _Known(*known) for security_id, *known in cursor}

    def _first_e4(self, listed: Security) -> int:
        """Before the first trade: the mark under the symbol of before, or the reference price."""
        for before in self._listings.all():
            if before.successor == listed.security_id and before.security_id in (self._known or {}):
                return (self._known or {})[before.security_id].mark_e4
        return listed.reference_price_e4

    def _corrected(self, listed: Security) -> int:
        """Grows with each bust, correction and corporate action of this security."""
        with self._market_data.transaction() as cursor:
            cursor.execute(_CORRECTED, (listed.security_id,))
            return int(cursor.fetchone()[0]) + listed.action_id

    def _in_shares_of_now(self, listed: Security, trades: list[MarkTrade]) -> list[MarkTrade]:
        """Trades from before a split at the price of a share of now."""
        if not listed.action_id:
            return trades
        splits = self._listings.splits(listed.security_id)
        for applied_us, split in splits:
            trades = [
                trade._replace(
                    price_e4=split.price_e4(trade.price_e4), quantity=split.shares(trade.quantity)
                )
                if trade.time_us <= applied_us
                else trade
                for trade in trades
            ]
        return [trade for trade in trades if trade.quantity]

    def _step(self, listed: Security, known: _Known) -> _Known | None:
        """The mark after the next MOST_TRADES trades, kept; None without any."""
        with self._market_data.transaction() as cursor:
            cursor.execute(_STEP_END, (listed.security_id, known.trade_id, MOST_TRADES))
            newest_id = cursor.fetchone()[0]
            if newest_id is None:
                return None
            cursor.execute(_NEWEST_TRADES, (listed.security_id, newest_id, MOST_TRADES))
            trades = self._in_shares_of_now(listed, [MarkTrade(*row) for row in cursor])
            # An average is seldom a price: down to the tick, as every price is shown and paid.
            found_e4 = mark(trades, known.mark_e4) // listed.tick_e4 * listed.tick_e4
            following = _Known(newest_id, found_e4, known.corrected)
            cursor.execute(_KEEP, (listed.security_id, *following))
        return following
