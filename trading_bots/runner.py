"""Runs strategies at a venue: many bots in one process, each with its account, dice and thread."""

import threading
import time
from collections.abc import Sequence
from typing import Literal

from trading_bots.bot_settings import BotSettings
from trading_bots.client import VenueClient
from trading_bots.live_bot import Bot
from trading_bots.market import Market
from trading_bots.order_socket import OrderSocket
from trading_bots.statistics import Statistics
from trading_bots.venue_address import VenueAddress

__all__ = ["Bot", "BotSettings", "Fleet", "Way"]

_STOP_GRACE_S = 6.0
"""A little longer than the time-out of one request."""
_CLOSED_GRACE_S = 1.0
"""For a bot whose request was ended by closing its connection."""

Way = Literal["websocket", "http"]
"""How orders are sent."""


class Fleet:
    """Several bots in this process."""

    def __init__(
        self, bots: Sequence[BotSettings], address: VenueAddress, way: Way = "websocket"
    ) -> None:
        if not bots:
            raise ValueError("a fleet needs a bot")
        self._stopping = threading.Event()
        self._clients = [self._client(settings, address) for settings in bots]
        traded = list(dict.fromkeys(name for settings in bots for name in settings.traded()))
        self.market = Market(self._clients[0], traded)
        unlisted = sorted(set(traded) - set(self.market.securities()))
        if unlisted:
            raise ValueError(f"the venue does not list {', '.join(unlisted)}")
        self._sockets = [client.order_socket() for client in self._clients if way == "websocket"]
        entries: Sequence[OrderSocket | VenueClient] = self._sockets or self._clients
        self.bots = [
            Bot(settings, client, self.market, entry)
            for settings, client, entry in zip(bots, self._clients, entries, strict=True)
        ]
        self._threads = [
            threading.Thread(
                target=self.market.follow, args=(self._stopping,), name="prices", daemon=True
            )
        ]
        for bot in self.bots:
            name = f"bot {bot.settings.client_id}"
            self._threads.append(
                threading.Thread(target=bot.play, args=(self._stopping,), name=name, daemon=True)
            )

    def start(self) -> None:
        """Let the bots trade."""
        for thread in self._threads:
            thread.start()

    def is_playing(self) -> bool:
        """Whether at least one bot still trades."""
        return any(thread.is_alive() for thread in self._threads[1:])

    def stop(self) -> None:
        """Let each bot finish its request, then end. Orders that rest stay at the venue."""
        self._stopping.set()
        self._join(_STOP_GRACE_S)
        for socket in self._sockets:
            socket.close()
        self._join(_CLOSED_GRACE_S)
        for client in self._clients:
            client.close()

    def _join(self, grace_s: float) -> None:
        """Wait for all threads, so long in all."""
        deadline = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def totals(self) -> Statistics:
        """All bots' numbers together."""
        totals = Statistics()
        for bot in self.bots:
            totals.add(bot.statistics)
        return totals

    def _client(self, settings: BotSettings, address: VenueAddress) -> VenueClient:
        return VenueClient(
            settings.client_id,
            settings.api_key,
            address.order_entry_url,
            address.market_data_url,
            stopping=self._stopping,
        )
