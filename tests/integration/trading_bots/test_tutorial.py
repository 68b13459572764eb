"""The code and the commands of docs/tutorial.md work as they stand."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.trading_bots.waiting import wait_for
from trading_bots.client import VenueClient
from venue_cli.console import parser

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/tutorial.md").read_text()


def blocks(language: str, section: int) -> list[str]:
    """The blocks of a section of the page."""
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)[section]
    found = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for name, block in found if name == language]


def commands(section: int) -> list[list[str]]:
    """The lines of a section that a reader types."""
    lines = "".join(blocks("", section)).splitlines()
    return [shlex.split(line) for line in lines if line.startswith(("./venue", ".venv", "export"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the two files that the page has a reader save."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "my").mkdir()
    (folder / "my/my_bot.py").write_text(*blocks("python", 1))
    (folder / "my/competition.toml").write_text(*blocks("toml", 3))
    yield folder


def run(command: list[str], folder: Path) -> str:
    """What a command of the page prints; it must succeed."""
    program = [sys.executable, "-m", "venue_cli", *command[1:]]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_back_tests_of_the_tutorial_trade(folder: Path) -> None:
    found = commands(2)
    assert [command[1] for command in found] == ["backtest", "backtest"]
    for command, players in zip(found, (1, 2), strict=True):
        shown = [line.split() for line in run(command, folder).splitlines() if "player_" in line]
        fills = [int(columns[5].replace(",", "")) for columns in shown]
        assert len(fills) == players and min(fills) > 0


def test_the_competition_of_the_tutorial_ranks_its_players_and_is_verified(folder: Path) -> None:
    compete, verify = commands(3)
    leaderboard = run(compete, folder)
    assert all(re.search(rf"^\d +{name} ", leaderboard, re.M) for name in ("me", "ann", "bob"))
    assert (folder / "my/results/report.html").is_file()
    assert "is verified" in run(verify, folder)


def test_the_bot_of_the_tutorial_trades_live_as_its_command_says(
    folder: Path, new_client: Callable[..., VenueClient]
) -> None:
    (command,) = (command for command in commands(4) if command[0].endswith("python"))
    other, me = new_client("other", "1000000.00", {"AAPL": 1000}), new_client("me")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "VENUE_CLIENT_ID": me.client_id,
        "VENUE_API_KEY": me.api_key,
        "VENUE_ORDER_ENTRY_URL": me.order_entry_url,
        "VENUE_MARKET_DATA_URL": me.market_data_url,
    }
    process = subprocess.Popen(
        [sys.executable, *command[1:]], cwd=folder, env=environment, stdout=subprocess.PIPE
    )
    try:
        wait_for(lambda: bool(me.orders()), 60)
        other.place("AAPL", "SELL", 10, min(order.price or 0 for order in me.orders()))
        wait_for(lambda: {order.side for order in me.orders()} == {"BUY", "SELL"}, 60)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0 and me.holding("AAPL").quantity == 10


def test_every_other_command_of_the_tutorial_is_one_of_the_console() -> None:
    typed = [command for command in commands(4) if command[0] == "./venue"]
    typed += [shlex.split(inner) for inner in re.findall(r"\$\((\./venue [^)]*)\)", PAGE)]
    assert [command[1] for command in typed] == ["up", "demo", "standings", "client"]
    for _, name, *arguments in typed:
        assert parser(name).parse_args([name, *arguments]).command == name
