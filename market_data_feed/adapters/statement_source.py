"""What statements are made from, read from both databases; body of `StatementSource`."""

from collections.abc import Iterator, Mapping
from typing import Any

from market_data_feed.adapters.marks import Marks
from service_runtime.database import Database
from venue_protocol.mark import MOST_TRADES, MarkTrade
from venue_protocol.settlement import SettlementReport
from venue_protocol.statements.fold import Discharge
from venue_protocol.statements.maker import Listing
from venue_storage import statement_rows
from venue_storage.statement_rows import Ask, Row


class StatementReader:
    """Reads with short transactions: reports are never changed, so they need no common one."""

    def __init__(self, clearing: Database, market_data: Database, marks: Marks) -> None:
        self._clearing = _asking(clearing)
        self._market = _asking(market_data)
        self._marks = marks

    def reports(self, client_id: str) -> Iterator[SettlementReport]:
        """All reports of the client, oldest first."""
        return statement_rows.reports(self._clearing, client_id)

    def amended_trades(self, client_id: str) -> set[int]:
        """Trades of the client that a bust or correction has changed."""
        return statement_rows.amended_trades(self._clearing, client_id)

    def discharges(self, client_id: str) -> list[Discharge]:
        """Borrowed shares that were given back for the client, oldest first."""
        return statement_rows.discharges(self._clearing, client_id)

    def listings(self) -> Mapping[str, Listing]:
        """Of each listed security."""
        return statement_rows.listings(self._clearing)

    def trades_until(self, security_id: str, time_us: int, passed: int) -> list[MarkTrade]:
        """Trades before the time, newest first."""
        found = statement_rows.trades_until(self._market, security_id, time_us, passed, MOST_TRADES)
        return [MarkTrade(*row) for row in found]

    def marks_now(self) -> Mapping[str, int]:
        """The marks as the standings have them."""
        return self._marks.read()


def _asking(database: Database) -> Ask:
    def ask(statement: str, parameters: tuple[Any, ...]) -> list[Row]:
        with database.transaction() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    return ask
