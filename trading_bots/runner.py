"""Runs strategies: one thread for each bot, with its own account, dice and rate."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from trading_bots.account import Account
from trading_bots.bot_view import BotView
from trading_bots.client import VenueClient
from trading_bots.commands import Command, WakeUp
from trading_bots.dice import dice
from trading_bots.loading import load_strategy
from trading_bots.market import Market
from trading_bots.records import Receipt
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.statistics import Statistics
from trading_bots.strategies import STRATEGIES
from trading_bots.strategy import Strategy
from trading_bots.venue_address import VenueAddress

log = logging.getLogger(__name__)

_CORRECT_EVERY_S = 5.0
"""How often a bot compares its own list of open orders with the venue's."""
_MOST_BEHIND_S = 1.0
"""Decisions that are later than this are left out, so a bot does not flood a venue that is back."""
_STOP_GRACE_S = 6.0
"""A little longer than the time-out of one request."""
_KEY_REFUSALS = frozenset({"auth.key_missing", "auth.key_invalid"})


class BotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bot: its account and key, its strategy with its parameters, what it trades, its seed."""

    client_id: str
    api_key: str
    strategy: str
    """One of STRATEGIES, `module:Class` or `file.py:Class`."""
    security: str = ""
    """One security; or several in `securities`."""
    securities: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    seed: int = 1
    rate: float | None = None
    """Calls of `on_timer` a second; None: as the strategy says."""

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES and ":" not in self.strategy:
            raise ValueError(
                f"strategy {self.strategy!r} is not one of {', '.join(STRATEGIES)}, nor "
                "module:Class or file.py:Class"
            )
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise ValueError(f"rate {self.rate} is not above 0 and at most 1000 decisions a second")
        if not self.traded():
            raise ValueError(f"{self.client_id} is not given a security to trade")

    def traded(self) -> tuple[str, ...]:
        """The securities that the bot sees and trades, each once."""
        return tuple(dict.fromkeys((*filter(None, [self.security]), *self.securities)))

    def make_strategy(self) -> Strategy:
        """A new strategy with these parameters; ValueError."""
        strategy = load_strategy(self.strategy, self.parameters)
        if self.rate is not None:
            strategy.interval_s = 1 / self.rate
        return strategy


class Bot:
    """One strategy on one account. `play` is its thread."""

    def __init__(self, settings: BotSettings, client: VenueClient, market: Market) -> None:
        self.settings = settings
        self.statistics = Statistics()
        self._client = client
        self._strategy = settings.make_strategy()
        self._random = dice(settings.seed, f"bot/{settings.client_id}")
        self._account = Account(settings.client_id, market.rules)
        self._view = BotView(settings.traded(), self._random, market, self._account)
        self._correct_at = 0.0

    def play(self, stopping: threading.Event) -> None:
        """Decide and send at the bot's rate, until `stopping` or until its key is revoked."""
        interval_s = self._strategy.interval_s or _CORRECT_EVERY_S
        due = time.monotonic() + self._random.uniform(0, interval_s)
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
            due = max(due + interval_s, time.monotonic() - _MOST_BEHIND_S)

    def step(self, stopping: threading.Event) -> None:
        """One decision, sent until it has an answer. Raises what the client raises."""
        self._correct_account()
        self.statistics.decisions += 1
        intents = list(self._strategy.on_timer(self._view, ""))
        commands = self._client.named(
            [intent for intent in intents if not isinstance(intent, WakeUp)]
        )
        for command in commands:
            self._account.working.sending(command)
        for command, result in zip(commands, self._send(commands, stopping), strict=True):
            self.statistics.count(command, result)
            self._account.working.answered(command, result)

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

    def _correct_account(self) -> None:
        if time.monotonic() < self._correct_at:
            return
        holdings = {holding.security: holding.quantity for holding in self._client.holdings()}
        self._account.correct(self._client.balance().balance, holdings, self._client.orders("open"))
        self._correct_at = time.monotonic() + _CORRECT_EVERY_S


class Fleet:
    """Several bots in this process."""

    def __init__(self, bots: Sequence[BotSettings], address: VenueAddress) -> None:
        if not bots:
            raise ValueError("a fleet needs a bot")
        self._stopping = threading.Event()
        self._clients = [self._client(settings, address) for settings in bots]
        self.market = Market(self._clients[0])
        unlisted = sorted(
            {name for settings in bots for name in settings.traded()}
            - set(self.market.securities())
        )
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
