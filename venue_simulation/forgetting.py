"""Keeps the memory of a long simulation flat: of what is over, only the newest is kept.

Kept are: every open order's rows, those of the newest ENDED orders that ended, transfers, and the
last row of each numbered table, which the next one must follow; of the record, these orders. So a
client_order_id may be used again once its order ended and 10,000 others have ended since; the live
venue never forgets it.
"""

from collections import deque

from venue_protocol.identifiers import shard_and_number
from venue_simulation.simulated_market import SimulatedMarket
from venue_simulation.simulated_venue import Committed
from venue_storage.clearing_rows import LogRow
from venue_storage.memory_clearing_data import Tables

ENDED = 10_000
"""Ended orders that the door still knows."""

_Place = tuple[int, int]


class Forgetting:
    """An observer that comes last, when everybody else has read what it forgets."""

    def __init__(self, ended: int = ENDED) -> None:
        self._most_ended = ended
        self._ended: deque[int] = deque()
        self._amends: dict[int, list[_Place]] = {}
        """Rows of the amends of each order."""
        self._others: list[_Place] = []
        """Rows of the newest commit that no order needs."""
        self._journals = 0
        self._reports = 0

    def begun(self, market: SimulatedMarket) -> None:
        """All journals so far are transfers, which are kept."""
        self._reports, self._journals = market.venue.clearing.tables.settlement_head[True]

    def sampled(self, market: SimulatedMarket) -> None:
        """Nothing to do."""

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """Forget what this commit ended, and what the one before left over."""
        tables = market.venue.clearing.tables
        for place in self._others:
            tables.log.pop(place, None)
        found = [self._other(row) for row in committed.rows]
        self._others = [place for place in found if place is not None]
        for order in committed.ended:
            self._ended.append(order.order_id)
        record = market.venue.market_record.tables
        while len(self._ended) > self._most_ended:
            order_id = self._ended.popleft()
            self._forget_order(tables, order_id)
            ended = record.orders.pop(order_id, None)
            if ended is not None:
                record.rejected_us.pop((order_id, ended.client_id), None)
        record.order_reports.clear()
        record.trades.clear()
        record.settlements.clear()
        if committed.last_report >= committed.first_report:
            self._forget_settlements(tables)

    def _other(self, row: LogRow) -> _Place | None:
        """Its place, if nobody asks for this row later; remembers amends with their order."""
        place = (row.shard, row.sequence)
        if row.amended_order_id is not None:
            self._amends.setdefault(row.amended_order_id, []).append(place)
            return None
        return None if row.command.startswith(_PLACE) else place

    def _forget_order(self, tables: Tables, order_id: int) -> None:
        places = [shard_and_number(order_id), *self._amends.pop(order_id, ())]
        tables.amends.pop(order_id, None)
        for place in places:
            row = tables.log.pop(place, None)
            if row is not None and row.client_order_id is not None:
                tables.names.pop((row.client_id, row.client_order_id), None)

    def _forget_settlements(self, tables: Tables) -> None:
        """All trades and reports but the last ones."""
        last_report, last_journal = tables.settlement_head[True]
        for number in range(self._reports, last_report):
            tables.reports.pop(number, None)
        for number in range(self._journals, last_journal):
            row = tables.journals.get(number)
            if row is not None and row.trade_id is not None:
                del tables.journals[number]
                tables.trades.pop(row.trade_id, None)
        self._reports, self._journals = last_report, last_journal


_PLACE = '{"kind":"place_order"'
