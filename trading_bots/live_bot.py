"""One strategy on one account at a running venue."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Protocol

from trading_bots.account import Account
from trading_bots.bot_settings import BotSettings
from trading_bots.bot_view import BotView
from trading_bots.client import VenueClient
from trading_bots.commands import MOST_COMMANDS, Command, Intent, WakeUp
from trading_bots.dice import dice
from trading_bots.events import BookChanged, Event, EventQueue, Missed
from trading_bots.market import Market
from trading_bots.own_stream import follow_account
from trading_bots.records import Fill, OrderReport, PublicTrade, Receipt, SettlementReport
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.rejections import rejection
from trading_bots.statistics import Statistics
from trading_bots.strategy import Strategy
from trading_bots.timers import Timers

log = logging.getLogger(__name__)

_CORRECT_EVERY_S = 10.0
"""How often a bot compares its account with the venue's lists; reports keep it between."""
_FIRST_PAUSE_S = 2.0
"""The second look: what happened between the first and the stream's beginning came in no report."""
_TURN_S = 0.5
"""How often a bot looks whether it should stop."""
_STREAM_GRACE_S = 2.0
"""How long a bot that ends waits for its stream to end."""
_KEY_REFUSALS = frozenset({"auth.key_missing", "auth.key_invalid"})


class OrderEntry(Protocol):
    """What sends commands: a `VenueClient` over HTTP, or an `OrderSocket`."""

    def send(self, commands: Sequence[Command]) -> list[Receipt | Refused]:
        """For each command its receipt or its refusal."""
        ...


class Bot:
    """Events in, commands out. `play` is its thread; the streams put events from theirs."""

    def __init__(
        self,
        settings: BotSettings,
        client: VenueClient,
        market: Market,
        order_entry: OrderEntry | None = None,
    ) -> None:
        self.settings = settings
        self.statistics = Statistics()
        self.events = EventQueue()
        self._client = client
        self._order_entry = order_entry or client
        self._strategy = settings.make_strategy()
        self._market = market
        self._account = Account(settings.client_id, market.rules)
        random = dice(settings.seed, f"bot/{settings.client_id}")
        self._view = BotView(settings.traded(), random, market, self._account)
        self._timers = Timers(self._strategy.interval_s, random)
        self._correct_at = 0.0
        self._is_started = False
        for security in settings.traded():
            if self._hears("on_book"):
                market.listen_to_book(security, self._book_changed)
            if self._hears("on_trade"):
                market.listen_to_trades(security, self.events.put)

    def play(self, stopping: threading.Event) -> None:
        """Let the strategy act until `stopping`, until its key is revoked, or until it fails.

        A strategy that raises ends with its orders canceled.
        """
        ended = threading.Event()
        reports = threading.Thread(
            target=follow_account,
            args=(self._client.copy(), self.events.put, ended),
            name=f"reports {self.settings.client_id}",
            daemon=True,
        )
        reports.start()
        try:
            while not stopping.is_set() and self._goes_on(stopping):
                pass
        finally:
            ended.set()
            reports.join(_STREAM_GRACE_S)

    def _goes_on(self, stopping: threading.Event) -> bool:
        """One step; False when the bot is to end."""
        try:
            self.step(stopping)
        except Refused as refusal:
            self.statistics.refused[refusal.code] += 1
            if refusal.code in _KEY_REFUSALS:
                log.error("%s ends: %s", self.settings.client_id, refusal)
                return False
            stopping.wait(_TURN_S)
        except VenueUnavailable as error:
            log.warning("%s waits: %s", self.settings.client_id, error)
        except Exception:
            log.exception("%s ends: its strategy failed", self.settings.client_id)
            self._cancel_all()
            return False
        return True

    def step(self, stopping: threading.Event) -> None:
        """Act on what happens next. Raises what the client or the strategy raises."""
        if time.monotonic() >= self._correct_at:
            self._correct_account()
        if not self._is_started:
            self._is_started = True
            self._act(self._strategy.on_start(self._view), stopping)
        name = self._timers.pop_due()
        if name is not None:
            self._act(self._strategy.on_timer(self._view, name), stopping)
            return
        wait_s = min(self._timers.left_s(), _TURN_S)
        event = self.events.get(wait_s)
        if event is not None:
            self._act(self._told(event), stopping)

    def _told(self, event: Event) -> Iterable[Intent]:
        """Take over an event and tell the strategy; its intents."""
        match event:
            case BookChanged():
                return self._strategy.on_book(self._view, self._market.book(event.security))
            case PublicTrade():
                return self._strategy.on_trade(self._view, event)
            case OrderReport():
                self._account.apply_report(event)
                return self._strategy.on_report(self._view, event)
            case Fill():
                return self._strategy.on_fill(self._view, event)
            case SettlementReport():
                self._account.apply_settlement(event)
                return self._strategy.on_settlement(self._view, event)
            case Missed():
                self._correct_at = 0.0
        return ()

    def _act(self, intents: Iterable[Intent], stopping: threading.Event) -> None:
        """Send what a strategy wants; refusals are told to it as reports, which it may answer."""
        waiting: deque[Iterable[Intent]] = deque([intents])
        while waiting and not stopping.is_set():
            commands = self._commands(waiting.popleft())
            for start in range(0, len(commands), MOST_COMMANDS):
                some = commands[start : start + MOST_COMMANDS]
                for report in self._sent(some, stopping):
                    waiting.append(self._strategy.on_report(self._view, report))

    def _commands(self, intents: Iterable[Intent]) -> list[Command]:
        """The commands among the intents, named; wake-ups are set."""
        self.statistics.decisions += 1
        commands: list[Command] = []
        for intent in intents:
            if isinstance(intent, WakeUp):
                self._timers.wake_up(intent.after_s, intent.name)
            else:
                commands.append(intent)
        return self._client.named(commands)

    def _sent(self, commands: Sequence[Command], stopping: threading.Event) -> list[OrderReport]:
        """Send until there is an answer; a report for each refusal."""
        for command in commands:
            self._account.working.sending(command)
        reports = []
        for command, result in zip(commands, self._answers(commands, stopping), strict=True):
            self.statistics.count(command, result)
            self._account.working.answered(command, result)
            if isinstance(result, Refused):
                reports.append(rejection(command, result, self._view.now_us))
        return reports

    def _answers(
        self, commands: Sequence[Command], stopping: threading.Event
    ) -> list[Receipt | Refused]:
        """The answers; the same commands are sent again, under the same ids, until they come."""
        while commands:
            try:
                return self._order_entry.send(commands)
            except VenueUnavailable:
                self.statistics.unanswered += 1
                if stopping.is_set():
                    raise
            except Refused as refusal:
                if refusal.code in _KEY_REFUSALS:
                    raise
                return [refusal] * len(commands)
        return []

    def _correct_account(self) -> None:
        """Compare with what the venue lists."""
        holdings = {holding.security: holding.quantity for holding in self._client.holdings()}
        self._account.correct(self._client.balance().balance, holdings, self._client.orders("open"))
        pause_s = _CORRECT_EVERY_S if self._is_started else _FIRST_PAUSE_S
        self._correct_at = time.monotonic() + pause_s

    def _cancel_all(self) -> None:
        with closing(self._client.copy()) as client:
            try:
                client.cancel_all()
            except (Refused, VenueUnavailable) as error:
                log.error("%s: orders may still be open: %s", self.settings.client_id, error)

    def _book_changed(self, security: str) -> None:
        self.events.put(BookChanged(security))

    def _hears(self, method: str) -> bool:
        """Whether the strategy wants these events: whether its class overrides the method."""
        return getattr(type(self._strategy), method) is not getattr(Strategy, method)
