"""What all bots of a process know of the market: rules, depth, newest prices and trades."""

import logging
import threading
from collections import deque
from collections.abc import Sequence

import msgspec

from trading_bots.book_depth import BookDepth
from trading_bots.client import VenueClient
from trading_bots.records import Book, Price, PublicTrade, SecurityRules, read
from trading_bots.refusal import Refused, VenueUnavailable

log = logging.getLogger(__name__)

_TURN_S = 0.5
"""How often `follow` looks whether it should stop."""
_TRADES_KEPT = 100


class Market:
    """Rules and prices. One thread runs `follow`; any thread reads."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._rules = {rules.security: rules for rules in client.securities()}
        self._prices = {name: client.price(name) for name in self._rules}
        self._depths = {name: BookDepth(name) for name in self._rules}
        self._trades: dict[str, deque[PublicTrade]] = {
            name: deque(maxlen=_TRADES_KEPT) for name in self._rules
        }

    def securities(self) -> list[str]:
        """Names of the listed securities."""
        return list(self._rules)

    def rules(self, security: str) -> SecurityRules:
        """Trading rules of a security; KeyError if it was not listed when this process began."""
        return self._rules[security]

    def price(self, security: str) -> Price:
        """The newest price known."""
        return self._prices[security]

    def book(self, security: str) -> Book:
        """The newest depth known."""
        return self._depths[security].book()

    def trades(self, security: str) -> Sequence[PublicTrade]:
        """The newest trades seen, oldest first."""
        return tuple(self._trades[security])

    def follow(self, stopping: threading.Event) -> None:
        """Keep all up to date from the stream until `stopping`, through any outage."""
        with self._client.stream() as stream:
            for security in self._rules:
                for channel in ("price", "book", "trades"):
                    stream.subscribe(channel, security)
            while not stopping.is_set():
                try:
                    message = stream.receive(_TURN_S)
                    if message is not None:
                        self.note(message)
                except (Refused, VenueUnavailable, msgspec.ValidationError) as error:
                    log.warning("price stream: %s", error)
                    stopping.wait(_TURN_S)

    def note(self, message: dict[str, object]) -> None:
        """Take over one message of the stream."""
        security = str(message["security"])
        match message["channel"]:
            case "price":
                self._prices[security] = read(message, Price)
            case "book":
                self._depths[security].apply(message)
            case "trades":
                self._trades[security].append(read(message, PublicTrade))
