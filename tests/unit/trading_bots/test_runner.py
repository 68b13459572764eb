"""The runner against a fake venue: working orders, refusals, faults, many bots, the command
line.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.trading_bots.fake_services import KEY, FakeVenue, refusal
from trading_bots.client import Cancel, Place, Refused, VenueClient
from trading_bots.market import Market
from trading_bots.records import Order, Receipt
from trading_bots.runner import Bot, BotSettings, Fleet
from trading_bots.venue_address import VenueAddress
from trading_bots.working_orders import MOST_LAG_S, WorkingOrders

ROOT = Path(__file__).parents[3]


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


def test_orders_that_rest_are_working_and_leave_with_their_cancel() -> None:
    working = WorkingOrders()
    working.apply(
        Place("AAPL", "BUY", 5, Decimal("99"), client_order_id="a"),
        Receipt(order_id=1, status="new"),
    )
    working.apply(
        Place("AAPL", "BUY", 5, "98", "IOC", client_order_id="b"), Receipt(order_id=2, status="new")
    )
    working.apply(Place("AAPL", "BUY", 5, client_order_id="c"), Receipt(order_id=3, status="new"))
    working.apply(
        Place("AAPL", "BUY", 5, "97", client_order_id="d"), Refused("risk.insufficient_funds", "no")
    )
    assert [order.client_order_id for order in working.all()] == ["a"]
    working.apply(Cancel(client_order_id="a"), Receipt(order_id=1, status="pending_cancel"))
    assert working.all() == ()


def test_the_venues_list_corrects_the_record_but_not_orders_too_young_to_be_listed() -> None:
    clock = Clock()
    working = WorkingOrders(clock)
    working.apply(
        Place("AAPL", "BUY", 5, "99", client_order_id="filled"), Receipt(order_id=1, status="new")
    )
    clock.now += MOST_LAG_S + 1
    working.apply(
        Place("AAPL", "BUY", 5, "99", client_order_id="young"), Receipt(order_id=3, status="new")
    )
    working.correct([open_order("from_a_run_before", 2)])
    assert sorted(order.client_order_id for order in working.all()) == [
        "from_a_run_before",
        "young",
    ]


def test_an_order_canceled_just_now_is_not_taken_back_from_a_late_list() -> None:
    clock = Clock()
    working = WorkingOrders(clock)
    working.apply(Cancel(client_order_id="a"), Receipt(order_id=1, status="pending_cancel"))
    working.correct([open_order("a", 1)])
    assert working.all() == ()
    clock.now += MOST_LAG_S + 1
    working.correct([open_order("a", 1)])
    assert len(working.all()) == 1


def test_a_bot_counts_what_it_did_and_what_was_refused(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    bot = Bot(settings("retail"), client, Market(client))
    fake_venue.faults.extend(
        [
            lambda venue, method, target, body: venue.serve(method, target, body),
            lambda *_: (
                200,
                {"results": [refusal("risk.insufficient_shares", "none to sell")]},
                {},
            ),
        ]
    )
    bot.step(threading.Event())
    bot.step(threading.Event())
    assert (bot.statistics.decisions, bot.statistics.commands, bot.statistics.accepted) == (2, 2, 1)
    assert dict(bot.statistics.refused) == {"risk.insufficient_shares": 1}


def test_a_bot_repeats_the_same_commands_until_the_venue_is_back(fake_venue: FakeVenue) -> None:
    client = VenueClient("ann", KEY, fake_venue.url, fake_venue.url, patience_s=0.05)
    bot = Bot(settings(), client, Market(client))
    bot.step(threading.Event())
    sent_before = len(fake_venue.requests)

    def do_it_and_say_503(
        venue: FakeVenue, method: str, target: str, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        venue.serve(method, target, body)
        return 503, refusal("service.not_ready", "going down"), {}

    fake_venue.faults.extend([do_it_and_say_503] * 4)
    bot.step(threading.Event())
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
    fleet = Fleet(bots, VenueAddress(fake_venue.url, fake_venue.url))
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


def run_module(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "trading_bots", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_python_m_trading_bots_plays_from_the_environment_until_sigterm(
    fake_venue: FakeVenue,
) -> None:
    process = run_module(
        VENUE_CLIENT_ID="ann",
        VENUE_API_KEY=KEY,
        VENUE_BOT_STRATEGY="random_walk",
        VENUE_BOT_SECURITY="AAPL",
        VENUE_BOT_RATE="20",
        VENUE_ORDER_ENTRY_URL=fake_venue.url,
        VENUE_MARKET_DATA_URL=fake_venue.url,
    )
    wait_for(lambda: len(fake_venue.orders) >= 3, 30)
    process.terminate()
    assert process.wait(15) == 0


def test_python_m_trading_bots_plays_many_bots_from_a_file(
    fake_venue: FakeVenue, tmp_path: Path
) -> None:
    file = tmp_path / "bots.json"
    file.write_bytes(msgspec.json.encode([settings(seed=1), settings("retail", seed=2)]))
    url = fake_venue.url
    process = run_module("--bots", str(file), "--order-entry-url", url, "--market-data-url", url)
    wait_for(
        lambda: (
            {"limit", "market"} <= {order["type"] for order in list(fake_venue.orders.values())}
        ),
        30,
    )
    process.terminate()
    assert process.wait(15) == 0


def test_python_m_trading_bots_says_what_is_missing() -> None:
    process = run_module("--strategy", "retail", "--client-id", "ann")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said.strip() == "trading_bots: missing --api-key, --security; see --help"
