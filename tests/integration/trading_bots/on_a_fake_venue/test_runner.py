"""The runner against a fake venue: working orders, refusals, faults, many bots, the command
line.
"""

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue, refusal
from trading_bots.client import Refused, VenueClient
from trading_bots.commands import Cancel, CancelAll, Place
from trading_bots.market import Market
from trading_bots.records import Order, OrderReport, Receipt
from trading_bots.runner import Bot, BotSettings, Fleet
from trading_bots.venue_address import VenueAddress
from trading_bots.working_orders import MOST_LAG_S, WorkingOrders

ROOT = Path(__file__).parents[4]


def settings(strategy: str = "random_walk", **changes: Any) -> BotSettings:
    fields: dict[str, Any] = {
        "client_id": "ann",
        "api_key": KEY,
        "security": "AAPL",
        "strategy": strategy,
        "rate": 50.0,
    }
    return BotSettings(**{**fields, **changes})


def open_order(name: str, order_id: int) -> Order:
    return Order(
        order_id=order_id,
        security="AAPL",
        side="BUY",
        type="limit",
        quantity=5,
        leaves=3,
        status="new",
        price=Decimal("99"),
        client_order_id=name,
    )


def wait_for(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    """Return once `condition` holds; fail at the deadline."""
    end = time.monotonic() + deadline_s
    turn = threading.Event()
    while not condition():
        assert time.monotonic() < end, "condition not met in time"
        turn.wait(0.01)


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def placed(working: WorkingOrders, name: str, order_id: int = 1) -> None:
    """A limit order that was sent and answered."""
    order = Place("AAPL", "BUY", 5, Decimal("99"), client_order_id=name)
    working.sending(order)
    working.answered(order, Receipt(order_id=order_id, status="new"))


def names(working: WorkingOrders) -> list[str | None]:
    return [order.client_order_id for order in working.all()]


def test_an_order_works_from_when_it_is_sent_until_it_is_refused_or_has_ended() -> None:
    working = WorkingOrders()
    first, second = (Place("AAPL", "BUY", 5, "99", client_order_id=name) for name in "ab")
    working.sending(first)
    working.sending(second)
    assert [order.order_id for order in working.all()] == [None, None]
    working.answered(first, Receipt(order_id=1, status="new"))
    working.answered(second, Refused("risk.insufficient_funds", "no"))
    assert [(order.client_order_id, order.order_id) for order in working.all()] == [("a", 1)]
    working.sending(Cancel(order_id=1))
    assert [order.is_canceling for order in working.all()] == [True]
    working.apply(OrderReport(kind="canceled", status="canceled", order_id=1, client_order_id="a"))
    assert working.all() == ()


def test_a_report_that_overtakes_the_answer_is_not_undone_by_it() -> None:
    working = WorkingOrders()
    order = Place("AAPL", "BUY", 5, "99", client_order_id="a")
    working.sending(order)
    working.apply(OrderReport(kind="trade", status="filled", order_id=1, client_order_id="a"))
    working.answered(order, Receipt(order_id=1, status="new"))
    assert working.all() == ()


def test_a_cancel_of_all_in_one_security_marks_its_orders_alone() -> None:
    working = WorkingOrders()
    placed(working, "a")
    working.sending(CancelAll("MSFT"))
    assert [order.is_canceling for order in working.all()] == [False]
    working.sending(CancelAll())
    assert [order.is_canceling for order in working.all()] == [True]


def test_a_cancel_that_is_refused_as_too_fast_may_be_sent_again() -> None:
    working = WorkingOrders()
    placed(working, "a")
    working.sending(Cancel(client_order_id="a"))
    working.answered(Cancel(client_order_id="a"), Refused("rate.limited", "later"))
    assert [order.is_canceling for order in working.all()] == [False]
    working.answered(Cancel(client_order_id="a"), Refused("order.already_filled", "late"))
    assert working.all() == ()


def test_the_venues_list_corrects_the_record_but_not_orders_too_young_to_be_listed() -> None:
    clock = Clock()
    working = WorkingOrders(clock)
    placed(working, "filled", 1)
    clock.now += MOST_LAG_S + 1
    placed(working, "young", 3)
    working.correct([open_order("from_a_run_before", 2)])
    assert sorted(map(str, names(working))) == ["from_a_run_before", "young"]


def test_an_order_that_ended_just_now_is_not_taken_back_from_a_late_list() -> None:
    clock = Clock()
    working = WorkingOrders(clock)
    placed(working, "a")
    working.apply(OrderReport(kind="canceled", status="canceled", order_id=1, client_order_id="a"))
    working.correct([open_order("a", 1)])
    assert working.all() == ()
    clock.now += MOST_LAG_S + 1
    working.correct([open_order("a", 1)])
    assert len(working.all()) == 1


def decide(bot: Bot, commands: int) -> None:
    """Let the bot act until it has had answers to so many commands."""
    while bot.statistics.commands < commands:
        bot.step(threading.Event())


def test_a_bot_counts_what_it_did_and_what_was_refused(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    bot = Bot(settings("retail"), client, Market(client))
    decide(bot, 1)
    fake_venue.faults.append(
        lambda *_: (200, {"results": [refusal("risk.insufficient_shares", "none to sell")]}, {})
    )
    decide(bot, 2)
    assert (bot.statistics.commands, bot.statistics.accepted, bot.statistics.orders) == (2, 1, 1)
    assert dict(bot.statistics.refused) == {"risk.insufficient_shares": 1}


def test_a_bot_repeats_the_same_commands_until_the_venue_is_back(fake_venue: FakeVenue) -> None:
    client = VenueClient("ann", KEY, fake_venue.url, fake_venue.url, patience_s=0.05)
    bot = Bot(settings(), client, Market(client))
    decide(bot, 1)
    sent_before = len(fake_venue.requests)

    def do_it_and_say_503(
        venue: FakeVenue, method: str, target: str, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        venue.serve(method, target, body)
        return 503, refusal("service.not_ready", "going down"), {}

    fake_venue.faults.extend([do_it_and_say_503] * 4)
    decide(bot, 2)
    bodies = [body for _, path, body in fake_venue.requests[sent_before:] if path == "/v1/commands"]
    assert len(bodies) == 5 and all(body == bodies[0] for body in bodies)
    assert len(fake_venue.orders) == 2
    assert bot.statistics.unanswered >= 1


def test_a_bot_whose_key_was_revoked_ends(fake_venue: FakeVenue, client: VenueClient) -> None:
    market = Market(client)
    revoked = VenueClient("ann", "vk_revoked", fake_venue.url, fake_venue.url)
    bot = Bot(settings(), revoked, market)
    bot.play(threading.Event())
    assert bot.statistics.refused["auth.key_invalid"] == 1


def test_a_fleet_plays_many_bots_at_their_rate_and_stops(fake_venue: FakeVenue) -> None:
    bots = [
        settings("random_walk", seed=1),
        settings("market_maker", seed=2),
        settings("retail", seed=3),
    ]
    fleet = Fleet(bots, VenueAddress(fake_venue.url, fake_venue.url), "http")
    fleet.start()
    wait_for(lambda: all(bot.statistics.accepted >= 10 for bot in fleet.bots))
    assert fleet.is_playing()
    fleet.stop()
    assert not fleet.is_playing()
    assert fleet.totals().accepted == sum(bot.statistics.accepted for bot in fleet.bots)


def test_a_fleet_on_an_unlisted_security_says_so(fake_venue: FakeVenue) -> None:
    with pytest.raises(ValueError, match="does not list GHOST"):
        Fleet([settings(security="GHOST")], VenueAddress(fake_venue.url, fake_venue.url))


@pytest.mark.parametrize("change", [{"strategy": "oracle"}, {"rate": 0.0}, {"rate": float("nan")}])
def test_bot_settings_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not"):
        settings(**change)
