"""What all bots of a process know of the market: trading rules and newest prices."""

import logging
import threading

import msgspec

from trading_bots.client import VenueClient
from trading_bots.records import Price, SecurityRules, read
from trading_bots.refusal import Refused, VenueUnavailable

log = logging.getLogger(__name__)

_TURN_S = 0.5
"""How often `follow` looks whether it should stop."""


class Market:
    """Rules and prices. One thread runs `follow`; any thread reads."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._rules = {rules.security: rules for rules in client.securities()}
        self._prices = {name: client.price(name) for name in self._rules}

    def securities(self) -> list[str]:
        """Names of the listed securities."""
        return list(self._rules)

    def rules(self, security: str) -> SecurityRules:
        """Trading rules of a security; KeyError if it was not listed when this process began."""
        return self._rules[security]

    def price(self, security: str) -> Price:
        """The newest price known."""
        return self._prices[security]

    def follow(self, stopping: threading.Event) -> None:
        """Keep the prices up to date from the stream until `stopping`, through any outage."""
        with self._client.stream() as stream:
            for security in self._rules:
                stream.subscribe("price", security)
            while not stopping.is_set():
                try:
                    message = stream.receive(_TURN_S)
                    if message is not None:
                        self._note(read(message, Price))
                except (Refused, VenueUnavailable, msgspec.ValidationError) as error:
                    log.warning("price stream: %s", error)
                    stopping.wait(_TURN_S)

    def _note(self, price: Price) -> None:
        self._prices[price.security] = price
