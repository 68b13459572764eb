"""The record in Postgres: database `market_data`."""

import threading

from market_data_feed.adapters import record_loader, record_writer, trade_rows
from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.inbox import DueRecord
from market_data_feed.domain.orders import Fold
from market_data_feed.ports import Recorded
from service_runtime.database import Database


class PostgresRecord:
    """A `MarketRecord` on one connection, written by one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, stopping: threading.Event) -> Recorded:
        """What is recorded; waits for the database until `stopping`."""
        return self._database.run(record_loader.load, stopping)

    def write(self, due: DueRecord, fold: Fold, stopping: threading.Event) -> None:
        """Record all that is due in one transaction, tried until it is certain.

        The rows are made once, before the first try: a second one writes the same bytes.
        """
        record = record_writer.compose(due, fold)
        self._database.run(lambda cursor: record_writer.write(cursor, record), stopping)

    def good_trades(
        self, security_ids: set[str], stopping: threading.Event
    ) -> dict[str, RecordedTrade | None]:
        """The newest trade of each security that is not busted, as it stands."""
        names = sorted(security_ids)
        return self._database.run(lambda cursor: trade_rows.good_trades(cursor, names), stopping)
