"""What the feed's loops need: the record, the settlements, and a display of the market."""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from market_data_feed.domain.batch_effect import BatchEffect, RecordedTrade
from market_data_feed.domain.inbox import DueRecord
from market_data_feed.domain.market import Market
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.trade_corrections import TradeCorrectionRow
from market_data_feed.domain.trading_phases import SessionRow
from market_data_feed.domain.working_order import WorkingOrder
from venue_protocol.settlement import SettlementReport


@dataclass
class Recorded:
    """What the record says at a start."""

    positions: dict[str, int]
    working: dict[int, WorkingOrder]
    last_trades: list[RecordedTrade]
    session: list[SessionRow]
    good_trades: dict[str, RecordedTrade | None] = field(default_factory=dict)
    """Where anything was corrected: the newest trade that is not busted, as it stands."""
    newest_corrected: dict[str, int] = field(default_factory=dict)
    """The newest trade of each security that was ever busted or corrected."""


class MarketRecord(Protocol):
    """The durable record of everything that happened, with the position of each stream."""

    def load(self, stopping: threading.Event) -> Recorded:
        """What is recorded; waits for the database until `stopping`."""
        ...

    def write(self, due: DueRecord, fold: Fold, stopping: threading.Event) -> None:
        """Record all that is due with the positions reached, in one transaction.

        Tried until it is certain, and recorded once, also where a commit was in doubt.
        BrokenStream where another feed writes this record.
        """
        ...

    def good_trades(
        self, security_ids: set[str], stopping: threading.Event
    ) -> dict[str, RecordedTrade | None]:
        """The newest trade of each security that is not busted, as it stands; None without one."""
        ...


class SettlementSource(Protocol):
    """The clearinghouse's own settlement reports, from which a gap is healed."""

    def reports_after(self, sequence: int, limit: int) -> list[SettlementReport]:
        """Reports that follow `sequence` without a gap, at most `limit`."""
        ...


class MarketDisplay(Protocol):
    """Shows what is recorded; nothing is shown before."""

    def market(self) -> AbstractContextManager[Market]:
        """The visible market, standing still inside the block."""
        ...

    def load_session(self, rows: list[SessionRow]) -> None:
        """The trading day on record."""
        ...

    def start_at(self, positions: dict[str, int]) -> None:
        """From now on there is something to show."""
        ...

    def publish(
        self,
        effects: list[BatchEffect],
        settlements: list[SettlementReport],
        positions: dict[str, int],
    ) -> None:
        """Show what was just committed."""
        ...

    def correct(
        self,
        corrections: list[TradeCorrectionRow],
        good_trades: dict[str, RecordedTrade | None],
    ) -> None:
        """Tell of busts and corrections just committed, and show the last prices without them."""
        ...
