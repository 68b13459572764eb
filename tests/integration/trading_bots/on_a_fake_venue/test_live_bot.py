"""What a live bot tells its strategy, and when."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue, refusal
from tests.integration.trading_bots.on_a_fake_venue.test_runner import Clock
from trading_bots.account import Account
from trading_bots.bot_settings import BotSettings
from trading_bots.bot_view import BotView
from trading_bots.client import VenueClient
from trading_bots.commands import Intent, Place, WakeUp
from trading_bots.events import MOST_TRADES, BookChanged, EventQueue
from trading_bots.live_bot import Bot
from trading_bots.market import Market
from trading_bots.records import (
    Book,
    Fill,
    OrderReport,
    PublicTrade,
    SecurityRules,
    SettlementReport,
)
from trading_bots.strategy import Strategy, View
from trading_bots.timers import Timers

RULES = SecurityRules(
    security="AAPL",
    tick=Decimal("0.01"),
    reference_price=Decimal(100),
    band_high=Decimal(150),
)


class Diary(Strategy):
    """Writes down what it is told, and buys once at the start."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_start(self, view: View) -> Iterator[Intent]:
        self.lines.append(f"start {view.cash.balance} {view.holding('AAPL').quantity}")
        yield Place("AAPL", "BUY", 5, "99.00")
        yield WakeUp(0.0, "again")

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        self.lines.append(f"timer {name}")
        yield Place("AAPL", "BUY", 5000, "99.00")

    def on_book(self, view: View, book: Book) -> Iterator[Intent]:
        self.lines.append(f"book {book.bids[0].price} {len(view.orders())}")
        return iter(())

    def on_report(self, view: View, report: OrderReport) -> Iterator[Intent]:
        self.lines.append(f"report {report.kind} {report.reason}")
        return iter(())

    def on_fill(self, view: View, fill: Fill) -> Iterator[Intent]:
        self.lines.append(f"fill {fill.quantity}")
        return iter(())

    def on_settlement(self, view: View, report: SettlementReport) -> Iterator[Intent]:
        self.lines.append(f"settled {view.cash.balance} {view.holding('AAPL').quantity}")
        return iter(())


class Failing(Strategy):
    """Raises at its first event."""

    def on_start(self, view: View) -> Iterator[Intent]:
        raise ZeroDivisionError


def bot_of(client: VenueClient, market: Market, class_name: str) -> Bot:
    settings = BotSettings(
        client_id="ann",
        api_key=KEY,
        strategy=f"{Path(__file__)}:{class_name}",
        securities=("AAPL",),
    )
    return Bot(settings, client, market)


def step(bot: Bot, times: int) -> None:
    for _ in range(times):
        bot.step(threading.Event())


def test_a_strategy_is_told_start_timers_books_and_its_own_reports(client: VenueClient) -> None:
    market = Market(client)
    bot = bot_of(client, market, "Diary")
    diary = vars(bot)["_strategy"]
    step(bot, 1)
    assert diary.lines == [
        "start 10000.00 5",
        "timer again",
        "report rejected risk.insufficient_funds",
    ]
    snapshot = {"channel": "book", "type": "snapshot", "security": "AAPL", "sequence": 1}
    market.note({**snapshot, "bids": [{"price": "99.00", "quantity": 5}], "asks": []})
    order = {"order_id": 1, "client_order_id": next(iter(names(bot))), "security": "AAPL"}
    bot.events.put(
        OrderReport(kind="trade", status="filled", side="BUY", quantity=5, filled=5, **order)
    )
    bot.events.put(Fill(trade_id=1, side="BUY", price=Decimal(99), quantity=5, time_us=1, **order))
    bot.events.put(settled("9505.00", 10))
    step(bot, 4)
    assert diary.lines[3:] == ["book 99.00 1", "report trade None", "fill 5", "settled 9505.00 10"]
    assert names(bot) == []


def names(bot: Bot) -> list[str | None]:
    view: View = vars(bot)["_view"]
    return [order.client_order_id for order in view.orders()]


def settled(balance: str, holding: int) -> SettlementReport:
    return SettlementReport(
        sequence=1,
        client_id="ann",
        client_sequence=1,
        settlement_kind="trade",
        cash=Decimal(-495),
        shares=5,
        balance=Decimal(balance),
        time_us=1,
        security="AAPL",
        holding=holding,
        trade_id=1,
        order_id=1,
    )


def test_a_view_shows_only_what_the_bot_asked_for(client: VenueClient) -> None:
    market = Market(client)
    account = Account("ann", market.rules)
    view = BotView((), Random(1), market, account)
    for read in (view.rules, view.price, view.book, view.trades, view.fair_price):
        with pytest.raises(KeyError):
            read("AAPL")
    assert BotView(("AAPL",), Random(1), market, account).fair_price("AAPL") == 100


def test_a_strategy_that_fails_ends_with_its_orders_canceled(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    bot_of(client, Market(client), "Failing").play(threading.Event())
    assert ("DELETE", "/v1/orders", None) in fake_venue.requests


def test_a_refused_frame_is_a_refusal_of_each_of_its_commands(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    bot = bot_of(client, Market(client), "Diary")
    fake_venue.faults.extend(
        [lambda venue, *request: venue.serve(*request)] * 3
        + [lambda *_: (400, refusal("request.invalid_field", "no"), {})]
    )
    bot.step(threading.Event())
    assert bot.statistics.refused["request.invalid_field"] == 1


def test_a_changed_book_waits_once_and_trades_never_without_end() -> None:
    queue = EventQueue()
    for _ in range(3):
        queue.put(BookChanged("AAPL"))
    for number in range(MOST_TRADES + 5):
        queue.put(
            PublicTrade(
                trade_id=number,
                security="AAPL",
                price=Decimal(1),
                quantity=1,
                aggressor=None,
                time_us=1,
            )
        )
    assert queue.get(0) == BookChanged("AAPL")
    first = queue.get(0)
    assert isinstance(first, PublicTrade) and first.trade_id == 5
    queue.put(BookChanged("AAPL"))
    waiting = []
    while (event := queue.get(0)) is not None:
        waiting.append(event)
    assert len(waiting) == MOST_TRADES and waiting[-1] == BookChanged("AAPL")


def test_timers_call_at_the_interval_and_at_wake_ups_the_earliest_first() -> None:
    clock = Clock()
    timers = Timers(10.0, Random(1), clock)
    first = timers.left_s()
    assert 0 < first < 10 and timers.pop_due() is None
    timers.wake_up(first + 1, "late")
    timers.wake_up(first - 0.001, "early")
    clock.now += first + 1
    assert [timers.pop_due() for _ in range(4)] == ["early", "", "late", None]
    assert timers.left_s() == pytest.approx(9)


def test_calls_that_an_outage_delayed_are_left_out() -> None:
    clock = Clock()
    timers = Timers(0.5, Random(1), clock)
    clock.now += 60
    calls = 0
    while timers.pop_due() is not None:
        calls += 1
    assert calls <= 4


def trade_report(trade_id: int, side: str, quantity: int, leaves: int) -> OrderReport:
    return OrderReport(
        kind="trade",
        status="partially_filled" if leaves else "filled",
        order_id=1,
        client_order_id="a",
        security="AAPL",
        side=side,
        quantity=quantity + leaves,
        filled=quantity,
        leaves=leaves,
        price=Decimal(100),
        trade_id=trade_id,
        last_price=Decimal(99),
        last_quantity=quantity,
    )


def test_cash_and_shares_are_held_by_orders_and_by_trades_until_they_are_settled() -> None:
    account = Account("ann", lambda _security: RULES)
    account.correct(Decimal(10_000), {"AAPL": 5}, [])
    account.working.sending(Place("AAPL", "BUY", 10, "100", client_order_id="a"))
    account.working.sending(Place("AAPL", "SELL", 3, "120", client_order_id="b"))
    account.working.sending(Place("AAPL", "BUY", 2, client_order_id="c"))
    assert account.cash.held == 1000 + 2 * 150
    assert (account.holding("AAPL").held, account.holding("AAPL").available) == (3, 2)
    account.apply_report(trade_report(1, "BUY", 5, leaves=5))
    assert account.cash.held == 5 * 100 + 5 * 99 + 300
    account.apply_settlement(settled("9505.00", 10))
    assert (account.cash.balance, account.cash.held) == (Decimal("9505.00"), 800)
    assert account.holding("AAPL").quantity == 10


def test_a_settlement_that_comes_before_the_report_of_its_trade_is_not_held_again() -> None:
    account = Account("ann", lambda _security: RULES)
    account.apply_settlement(settled("9505.00", 10))
    account.apply_report(trade_report(1, "BUY", 5, leaves=0))
    assert account.cash.held == 0


def test_a_bot_of_a_fleet_hears_only_what_its_strategy_overrides(
    client: VenueClient,
) -> None:
    market = Market(client)
    bot_of(client, market, "Failing")
    assert vars(market)["_book_listeners"] == {}
    bot = bot_of(client, market, "Diary")
    market.note(
        {
            "channel": "trades",
            "security": "AAPL",
            "trade_id": 1,
            "price": "1",
            "quantity": 1,
            "aggressor": None,
            "time_us": 1,
        }
    )
    assert bot.events.get(0) is None and len(market.trades("AAPL")) == 1
