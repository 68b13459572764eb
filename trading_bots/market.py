"""What all bots of a process know of the market: rules, depth, newest prices and trades."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from trading_bots.book_depth import BookDepth
from trading_bots.client import VenueClient
from trading_bots.records import Book, Price, PublicTrade, SecurityRules, TradeCorrection, read
from trading_bots.refusal import Refused, VenueUnavailable

log = logging.getLogger(__name__)

_TURN_S = 0.5
"""How often `follow` looks whether it should stop."""
_TRADES_KEPT = 100


class Market:
    """Rules of every security; prices, depth and trades of the followed ones.

    One thread runs `follow`; any thread reads.
    """

    def __init__(self, client: VenueClient, followed: Iterable[str] | None = None) -> None:
        self._client = client
        self._rules = {rules.security: rules for rules in client.securities()}
        names = self._rules if followed is None else list(followed)
        self._prices = {name: client.price(name) for name in names if name in self._rules}
        self._depths = {name: BookDepth(name) for name in self._prices}
        self._trades: dict[str, deque[PublicTrade]] = {
            name: deque(maxlen=_TRADES_KEPT) for name in self._prices
        }
        self._book_listeners: dict[str, list[Callable[[str], None]]] = {}
        self._trade_listeners: dict[str, list[Callable[[PublicTrade], None]]] = {}

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

    def followed(self) -> list[str]:
        """Names of the securities whose prices are kept up to date."""
        return list(self._prices)

    def listen_to_book(self, security: str, listener: Callable[[str], None]) -> None:
        """Call `listener` with the security, in the thread of `follow`, when its depth changes."""
        self._book_listeners.setdefault(security, []).append(listener)

    def listen_to_trades(self, security: str, listener: Callable[[PublicTrade], None]) -> None:
        """Call `listener` with each trade, in the thread of `follow`."""
        self._trade_listeners.setdefault(security, []).append(listener)

    def follow(self, stopping: threading.Event) -> None:
        """Keep all up to date from the stream until `stopping`, through any outage."""
        with self._client.stream() as stream:
            for security in self._prices:
                for channel in ("price", "book", "trades", "corrections"):
                    stream.subscribe(channel, security)
            while not stopping.is_set():
                try:
                    message = stream.receive(_TURN_S)
                    if message is not None:
                        self.note(message)
                except (Refused, VenueUnavailable, msgspec.ValidationError) as error:
                    log.warning("price stream: %s", error)
                    stopping.wait(_TURN_S)

    def note(self, message: dict[str, Any]) -> None:
        """Take over one message of the stream, and tell who listens."""
        security = str(message["security"])
        match message["channel"]:
            case "price":
                self._prices[security] = read(message, Price)
            case "book":
                if self._depths[security].apply(message):
                    for book_listener in self._book_listeners.get(security, ()):
                        book_listener(security)
            case "trades":
                trade = read(message, PublicTrade)
                self._trades[security].append(trade)
                for trade_listener in self._trade_listeners.get(security, ()):
                    trade_listener(trade)
            case "corrections":
                self._correct(read(message, TradeCorrection))

    def _correct(self, told: TradeCorrection) -> None:
        """Let a trade that was seen stand as it does now."""
        trades = self._trades[told.security]
        for place, trade in enumerate(trades):
            if trade.trade_id == told.trade_id:
                trades[place] = msgspec.structs.replace(
                    trade, price=told.price, quantity=told.quantity, status=told.status
                )
