"""What waits for a live bot: its own reports, trades and changed books, in order."""

import threading
from collections import deque
from dataclasses import dataclass

from trading_bots.records import Fill, OrderReport, PublicTrade, SettlementReport

MOST_TRADES = 10_000
"""Trades that wait; the oldest are left out when a bot is slower than the market."""


@dataclass(frozen=True, slots=True)
class BookChanged:
    """The depth of a security has changed, once or often, since the bot last looked."""

    security: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Reports may be missing: compare the account with what the venue lists."""


Event = BookChanged | PublicTrade | OrderReport | Fill | SettlementReport | Missed


class EventQueue:
    """Filled by streams, emptied by the bot's thread. A changed book waits only once."""

    def __init__(self) -> None:
        self._filled = threading.Condition()
        self._events: deque[Event] = deque()
        self._books: set[str] = set()
        self._trades = 0

    def put(self, event: Event) -> None:
        """Add an event. Own reports are never left out."""
        with self._filled:
            if isinstance(event, BookChanged):
                if event.security in self._books:
                    return
                self._books.add(event.security)
            elif isinstance(event, PublicTrade):
                self._trades += 1
                if self._trades > MOST_TRADES:
                    self._drop_oldest_trade()
            self._events.append(event)
            self._filled.notify()

    def get(self, timeout_s: float) -> Event | None:
        """The next event; None when none comes in time."""
        with self._filled:
            if not self._events:
                self._filled.wait(max(timeout_s, 0))
            if not self._events:
                return None
            event = self._events.popleft()
            if isinstance(event, BookChanged):
                self._books.discard(event.security)
            elif isinstance(event, PublicTrade):
                self._trades -= 1
            return event

    def wake(self) -> None:
        """Let a `get` that waits return now."""
        with self._filled:
            self._filled.notify_all()

    def _drop_oldest_trade(self) -> None:
        oldest = next(event for event in self._events if isinstance(event, PublicTrade))
        self._events.remove(oldest)
        self._trades -= 1
