"""Bots as programs of their own, against a fake venue: settings, signals, what they print."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue
from trading_bots.runner import BotSettings
from venue_launcher.processes import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def fake_venue() -> Iterator[FakeVenue]:
    venue = FakeVenue()
    yield venue
    venue.close()


def run_module(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """`python -m trading_bots` with these arguments and variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "trading_bots", *arguments],
        cwd=ROOT,
        env={**os.environ, "VENUE_BOT_ORDERS_OVER": "http", **environment},
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
    assert wait_until(lambda: len(fake_venue.orders) >= 3, 30)
    process.terminate()
    assert process.wait(15) == 0


def test_python_m_trading_bots_plays_many_bots_from_a_file(
    fake_venue: FakeVenue, tmp_path: Path
) -> None:
    file = tmp_path / "bots.json"
    file.write_bytes(
        msgspec.json.encode(
            [
                BotSettings(
                    client_id="ann",
                    api_key=KEY,
                    security="AAPL",
                    strategy=strategy,
                    rate=50.0,
                    seed=seed,
                )
                for seed, strategy in enumerate(("random_walk", "retail"), 1)
            ]
        )
    )
    url = fake_venue.url
    process = run_module("--bots", str(file), "--order-entry-url", url, "--market-data-url", url)
    assert wait_until(
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
    assert said.strip() == "trading_bots: missing --api-key, --securities; see --help"


def environment(venue: FakeVenue, key: str = KEY) -> dict[str, str]:
    return {
        "VENUE_CLIENT_ID": "ann",
        "VENUE_API_KEY": key,
        "VENUE_ORDER_ENTRY_URL": venue.url,
        "VENUE_MARKET_DATA_URL": venue.url,
    }


def first_bot(**variables: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("VENUE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "trading_bots.examples.first_bot"],
        cwd=ROOT,
        env=inherited | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def open_orders(venue: FakeVenue) -> int:
    return sum(bool(order["leaves"]) for order in list(venue.orders.values()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_first_bot_cleanly_with_its_orders_canceled(
    fake_venue: FakeVenue, number: int
) -> None:
    process = first_bot(**environment(fake_venue))
    deadline = time.monotonic() + 30
    while not open_orders(fake_venue):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=15)
    assert (process.returncode, said.strip()) == (0, "stopping: canceling the open orders …")
    assert open_orders(fake_venue) == 0 and len(fake_venue.orders) >= 1


def test_a_missing_key_is_one_clear_line() -> None:
    process = first_bot(VENUE_CLIENT_ID="ann")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert (
        said == "trading_bots: set VENUE_API_KEY: ./venue client create NAME prints the key "
        "of a new client\n"
    )


def test_a_wrong_key_is_one_clear_line(fake_venue: FakeVenue) -> None:
    process = first_bot(**environment(fake_venue, "vk_wrong"))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said == "trading_bots: auth.key_invalid: this key is wrong or revoked\n"


@pytest.mark.parametrize(("options", "lines"), [([], 1), (["--quiet"], 0)])
def test_the_module_prints_a_line_a_bot_unless_it_is_quiet(
    fake_venue: FakeVenue, options: list[str], lines: int
) -> None:
    urls = {"VENUE_ORDER_ENTRY_URL": fake_venue.url, "VENUE_MARKET_DATA_URL": fake_venue.url}
    bot = ["--strategy", "retail", "--security", "AAPL"]
    process = run_module(*bot, *options, VENUE_CLIENT_ID="ann", VENUE_API_KEY=KEY, **urls)
    assert wait_until(lambda: len(fake_venue.orders) > 0, 30)
    process.terminate()
    said, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    assert sum("equity" in line for line in said.splitlines()) == lines
