"""Runs strategies: one thread for each bot, with its own account, dice and rate."""

import logging
import threading
import time
from collections.abc import Sequence
from random import Random

import msgspec

from trading_bots.client import VenueClient
from trading_bots.commands import Command
from trading_bots.market import Market
from trading_bots.records import Receipt
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.statistics import Statistics
from trading_bots.strategies import STRATEGIES
from trading_bots.strategy import View
from trading_bots.venue_address import VenueAddress
from trading_bots.working_orders import WorkingOrders

log = logging.getLogger(__name__)

_CORRECT_EVERY_S = 5.0
"""How often a bot compares its own list of open orders with the venue's."""
_MOST_BEHIND_S = 1.0
"""Decisions that are later than this are left out, so a bot does not flood a venue that is back."""
_STOP_GRACE_S = 6.0
"""A little longer than the time-out of one request."""
_KEY_REFUSALS = frozenset({"auth.key_missing", "auth.key_invalid"})


class BotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bot: its account and key, its strategy and security, the seed, and decisions a second."""

    client_id: str
    api_key: str
    security: str
    strategy: str
    seed: int = 1
    rate: float = 2.0

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy {self.strategy!r} is not one of {', '.join(STRATEGIES)}")
        if not 0 < self.rate <= 1000:
            raise ValueError(f"rate {self.rate} is not above 0 and at most 1000 decisions a second")


class Bot:
    """One strategy on one account. `play` is its thread."""

    def __init__(self, settings: BotSettings, client: VenueClient, market: Market) -> None:
        self.settings = settings
        self.statistics = Statistics()
        self._client = client
        self._market = market
        self._strategy = STRATEGIES[settings.strategy]()
        self._random = Random(settings.seed)
        self._working = WorkingOrders()
        self._correct_at = 0.0

    def play(self, stopping: threading.Event) -> None:
        """Decide and send at the bot's rate, until `stopping` or until its key is revoked."""
        due = time.monotonic() + self._random.uniform(0, 1 / self.settings.rate)
        while not stopping.wait(max(due - time.monotonic(), 0)):
            try:
                self.step(stopping)
            except Refused as refusal:
                self.statistics.refused[refusal.code] += 1
                if refusal.code in _KEY_REFUSALS:
                    log.error("%s ends: %s", self.settings.client_id, refusal)
                    return
            except VenueUnavailable as error:
                log.warning("%s waits: %s", self.settings.client_id, error)
            due = max(due + 1 / self.settings.rate, time.monotonic() - _MOST_BEHIND_S)

    def step(self, stopping: threading.Event) -> None:
        """One decision, sent until it has an answer. Raises what the client raises."""
        self._correct_working_orders()
        security = self.settings.security
        view = View(self._market.rules(security), self._market.price(security), self._working.all())
        self.statistics.decisions += 1
        commands = self._client.named(self._strategy.decide(view, self._random))
        for command, result in zip(commands, self._send(commands, stopping), strict=True):
            self.statistics.count(command, result)
            self._working.apply(command, result)

    def _send(
        self, commands: Sequence[Command], stopping: threading.Event
    ) -> list[Receipt | Refused]:
        """The answers; the same commands are sent again, under the same ids, until they come."""
        while commands:
            try:
                return self._client.send(commands)
            except VenueUnavailable:
                self.statistics.unanswered += 1
                if stopping.is_set():
                    raise
        return []

    def _correct_working_orders(self) -> None:
        if time.monotonic() >= self._correct_at:
            self._working.correct(self._client.orders("open"))
            self._correct_at = time.monotonic() + _CORRECT_EVERY_S


class Fleet:
    """Several bots in this process."""

    def __init__(self, bots: Sequence[BotSettings], address: VenueAddress) -> None:
        if not bots:
            raise ValueError("a fleet needs a bot")
        self._stopping = threading.Event()
        self._clients = [self._client(settings, address) for settings in bots]
        self.market = Market(self._clients[0])
        unlisted = sorted({settings.security for settings in bots} - set(self.market.securities()))
        if unlisted:
            raise ValueError(f"the venue does not list {', '.join(unlisted)}")
        self.bots = [
            Bot(settings, client, self.market)
            for settings, client in zip(bots, self._clients, strict=True)
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
        deadline = time.monotonic() + _STOP_GRACE_S
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        for client in self._clients:
            client.close()

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
