"""Bots, demo and recorded order flow on a whole venue."""

import fcntl
import os
import re
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from tests.integration.trading_bots.waiting import wait_for
from trading_bots.client import VenueClient
from trading_bots.runner import BotSettings, Fleet
from trading_bots.venue_address import VenueAddress
from venue_audit.standings import StandingsReader
from venue_launcher.admin_client import Administration
from venue_launcher.errors import CommandError
from venue_launcher.running_venue import RunningVenue
from venue_trials.demo import show
from venue_trials.recorded_flow.orders import make_plan, play


@pytest.mark.parametrize(
    "name", ["order_entry_gateway", "matching_engine", "clearinghouse", "market_data_feed"]
)
def test_bots_trade_on_after_a_service_was_killed(
    live_venue: RunningVenue, new_client: Callable[..., VenueClient], name: str
) -> None:
    maker = new_client("maker", "1000000.00", {"GOOG": 10_000})
    taker = new_client("taker", "1000000.00", {"GOOG": 10_000})
    bots = [
        BotSettings(
            client_id=c.client_id,
            api_key=c.api_key,
            security="GOOG",
            strategy=strategy,
            seed=5,
            rate=10.0,
        )
        for c, strategy in ((maker, "market_maker"), (taker, "retail"))
    ]
    fleet = Fleet(bots, VenueAddress(live_venue.gateway_url, live_venue.market_data_url))
    fleet.start()
    try:
        wait_for(lambda: len(taker.fills()) >= 3)
        os.kill(live_venue.pids()[name], signal.SIGKILL)
        before = len(taker.fills())
        wait_for(lambda: len(taker.fills()) >= before + 10, 60)
        decided = [bot.statistics.decisions for bot in fleet.bots]
        wait_for(
            lambda: all(
                bot.statistics.decisions > n for bot, n in zip(fleet.bots, decided, strict=True)
            )
        )
    finally:
        fleet.stop()
    wait_for(lambda: is_ready(live_venue), 60)


def is_ready(venue: RunningVenue) -> bool:
    """Whether every service is ready."""
    urls = (venue.gateway_url, venue.engine_url, venue.clearinghouse_url, venue.market_data_url)
    try:
        return all(requests.get(f"{url}/readyz", timeout=5).ok for url in urls)
    except requests.ConnectionError:
        return False


def test_a_demo_ends_with_nothing_lost_and_a_second_one_goes_on(
    live_venue: RunningVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        assert show.run(live_venue, 6, 11) == 0
        shown = capsys.readouterr().out
        assert f"demo{number}.you" in shown and "Authorization: Bearer vk_" in shown
        assert "every journal is balanced; no cent and no share was made or lost" in shown
        settled = re.search(r"^trades +([0-9,]+) settled in this demo", shown, re.MULTILINE)
        assert settled is not None and int(settled[1].replace(",", "")) > 0


def test_a_second_demo_at_the_same_time_is_refused_before_it_makes_accounts(
    live_venue: RunningVenue,
) -> None:
    before = len(Administration(live_venue).clients())
    with (live_venue.state_dir / "demo.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="a demo already runs on this venue"):
            show.run(live_venue, 1, 1)
    assert len(Administration(live_venue).clients()) == before


def test_the_standings_count_deposits_as_paid_in(
    live_venue: RunningVenue, new_client: Callable[..., VenueClient]
) -> None:
    ann, maker = new_client("ann"), new_client("maker", "50.00", {"AAPL": 2})
    Administration(live_venue).deposit({"client_id": ann.client_id, "cash": "10000.00"})
    reader = StandingsReader(live_venue)
    standings = {each.client_id: each for each in reader.read()}
    reader.close()
    own, makers = standings[ann.client_id], standings[maker.client_id]
    assert (own.cash, own.paid_in, own.return_percent) == (
        Decimal("20000.00"),
        Decimal("20000.00"),
        0,
    )
    assert own.rank is not None and makers.rank is None
    assert (makers.paid_in, makers.holdings) == (Decimal("250.00"), {"AAPL": 2})


def test_the_lobster_excerpt_plays_through_the_venue_with_every_fill_as_recorded(
    live_venue: RunningVenue, shared_data: Path
) -> None:
    file = shared_data / "lobster_aapl_l10_sample" / "AAPL_2012-06-21_message_10.first999.csv"
    outcome = play(live_venue, make_plan(file))
    assert len({fill.taker for fill in outcome.fills}) == 66
    assert outcome.fills == outcome.plan.expected_fills
    assert outcome.difference() is None


def test_consensus_messages_play_through_the_venue_with_every_fill_as_recorded(
    live_venue: RunningVenue, shared_data: Path
) -> None:
    file = shared_data / "matching_consensus" / "normal_s23_n20000.orders.csv.xz"
    outcome = play(live_venue, make_plan(file, limit=4000, accounts=4))
    assert len(outcome.fills) > 20
    assert outcome.difference() is None
    assert set(outcome.sent.refused) <= {"order.already_filled", "order.already_canceled"}
