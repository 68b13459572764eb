"""One bot in a simulated market: what has reached it, and what it asks for."""

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from service_runtime.http.authentication import Caller
from trading_bots.commands import Command, Intent
from trading_bots.dice import dice
from trading_bots.order_names import OrderNames
from trading_bots.strategy import Strategy
from venue_protocol.refusals import Refusal
from venue_protocol.roles import TRADER
from venue_simulation.bot_records import (
    fill,
    order_report,
    public_trade,
    refused_report,
    settlement_report,
)
from venue_simulation.call_limit import taken
from venue_simulation.market_plan import BotSpec, Latency
from venue_simulation.published_market import PublishedMarket
from venue_simulation.seat_view import SeatView
from venue_storage.memory_clearing_data import AccountRow, DepositRow

EVENTS = ("on_book", "on_trade", "on_report", "on_fill", "on_settlement")
"""Methods of a strategy that are called when news arrives."""
LONGEST_JITTER = 20
"""A way takes at most so many times the mean of its jitter longer."""
PRIVATE = frozenset({"on_report", "on_fill", "on_settlement"})
_PREFIX = "o"
"""Orders of a bot are o-1, o-2 …"""


class Ways:
    """How long each message of one bot travels: drawn from dice of its own."""

    def __init__(self, latency: Latency, random: Random) -> None:
        self._latency = latency
        self._random = random

    def order_us(self) -> int:
        """From the bot to the venue."""
        return self._latency.order_us + self._jitter_us()

    def feed_us(self) -> int:
        """From the venue to the bot."""
        return self._latency.feed_us + self._jitter_us()

    def _jitter_us(self) -> int:
        mean = self._latency.jitter_us
        if not mean:
            return 0
        if self._latency.jitter == "uniform":
            drawn = self._random.uniform(0, 2 * mean)
        elif self._latency.jitter == "lognormal":
            drawn = self._random.lognormvariate(math.log(mean) - 0.5, 1)
        else:
            drawn = self._random.expovariate(1 / mean)
        return min(round(drawn), LONGEST_JITTER * mean)


def longest_feed_us(latency: Latency) -> int:
    """The longest way of a message to a bot of this latency."""
    return latency.feed_us + LONGEST_JITTER * latency.jitter_us


def overridden(strategy: Strategy) -> frozenset[str]:
    """The events that a strategy wants: those whose method its class overrides."""
    return frozenset(
        name for name in EVENTS if getattr(type(strategy), name) is not getattr(Strategy, name)
    )


class News(NamedTuple):
    """What one commit tells one bot; empty parts do not concern it."""

    visible_us: int
    """When it reaches the bot."""
    time_us: int
    """When the venue published it."""
    reports: Sequence[ExecutionReport] = ()
    refusals: Sequence[tuple[Command, Refusal]] = ()
    account: AccountRow | None = None
    """The account after the commit."""
    deposits: Mapping[str, DepositRow] = {}
    settlements: Sequence[str] = ()
    """Settlement reports, JSON."""
    books: Sequence[str] = ()
    """Securities whose depth changed."""
    trades: Sequence[RecordedTrade] = ()


class Seat:
    """One bot: its strategy, its mail, and its numbers."""

    def __init__(
        self,
        number: int,
        spec: BotSpec,
        strategy: Strategy,
        markets: Mapping[str, PublishedMarket],
        seed: int,
    ) -> None:
        name = spec.seed_name or spec.client_id
        self.number = number
        self.spec = spec
        self.strategy = strategy
        self.caller = Caller(spec.client_id, TRADER)
        self.view = SeatView(spec.client_id, markets, dice(seed, f"bot/{name}"))
        self.ways = Ways(spec.latency, dice(seed, f"latency/{name}"))
        self.timer_dice = dice(seed, f"timer/{name}")
        self.names = OrderNames(_PREFIX)
        self.wants = overridden(strategy)
        self.busy_until_us = 0
        self.last_arrival_us = 0
        self.start_e4 = 0
        """Its equity at the start, ten-thousandths of a dollar."""
        self.stopped: str | None = None
        """Why it was stopped."""
        self.numbers: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.open_orders = 0
        self.command_times: deque[int] = deque()
        self._mail: deque[News] = deque()
        self._last_visible_us = 0

    def post(self, news: News) -> int:
        """Put news into its mail; when it arrives: never before what was sent earlier."""
        visible_us = max(news.visible_us, self._last_visible_us)
        if visible_us != news.visible_us:
            news = news._replace(visible_us=visible_us)
        self._last_visible_us = visible_us
        self._mail.append(news)
        return visible_us

    def open_mail(self, now_us: int) -> list[Intent]:
        """Take all that has arrived by `now_us`; what the strategy answers to it."""
        view, mail = self.view, self._mail
        view.now_us = now_us
        view.horizon_us = max(view.horizon_us, now_us - self.ways.feed_us())
        intents: list[Intent] = []
        while mail and mail[0].visible_us <= now_us:
            news = mail.popleft()
            view.horizon_us = max(view.horizon_us, news.time_us)
            self._learn(news)
            if self.wants:
                self._tell(news, intents)
        return intents

    def _learn(self, news: News) -> None:
        """Bring the view up to date."""
        view = self.view
        if news.account is not None:
            view.learn_account(news.account, news.deposits)
        for report in news.reports:
            view.learn_report(report)
        for command, _ in news.refusals:
            view.learn_refusal(command)

    def _tell(self, news: News, intents: list[Intent]) -> None:
        """Call what the strategy overrides."""
        wants, strategy, view = self.wants, self.strategy, self.view
        if "on_report" in wants:
            for command, refusal in news.refusals:
                intents += taken(
                    strategy.on_report(view, refused_report(command, refusal, news.time_us))
                )
            for report in news.reports:
                intents += taken(strategy.on_report(view, order_report(report)))
        if "on_fill" in wants:
            for report in news.reports:
                if report.kind == "trade":
                    intents += taken(strategy.on_fill(view, fill(report)))
        if "on_settlement" in wants:
            for text in news.settlements:
                intents += taken(strategy.on_settlement(view, settlement_report(text)))
        if "on_trade" in wants:
            for trade in news.trades:
                intents += taken(strategy.on_trade(view, public_trade(trade)))
        if "on_book" in wants:
            for security in news.books:
                intents += taken(strategy.on_book(view, view.book(security)))
