"""`./venue backtest` as it is typed: what it prints, what it writes, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest

from venue_audit.archive_audit import audit_archive
from venue_cli import console

SHORT = ["backtest", "--seconds", "60", "--seed", "3", "--rate", "0.5"]
BOT = """
from trading_bots.commands import Place
from trading_bots.strategy import Strategy


class Buyer(Strategy):
    interval_s = 10.0

    def __init__(self, shares: int = 1) -> None:
        self._shares = shares

    def on_timer(self, view, name):
        yield Place(view.securities[0], "BUY", self._shares, None)
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints; it must end well."""
    assert console.main([*SHORT, *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture
def bot(tmp_path: Path) -> str:
    """A strategy in a file outside the package."""
    path = tmp_path / "my_bot.py"
    path.write_text(BOT)
    return f"{path}:Buyer"


def test_a_bot_of_a_file_trades_and_its_parameter_counts(
    capsys: pytest.CaptureFixture[str], bot: str
) -> None:
    one = json.loads(said(capsys, "--strategy", bot, "--json"))
    three = json.loads(said(capsys, "--strategy", bot, "--set", "shares=3", "--json"))
    (small, large) = (told["bots"][0] for told in (one, three))
    assert small["group"] == large["group"] == "player"
    assert 0 < small["shares_traded"] == large["shares_traded"] / 3


def test_the_same_seed_prints_the_same_and_another_something_else(
    capsys: pytest.CaptureFixture[str], bot: str
) -> None:
    first = said(capsys, "--strategy", bot)
    assert said(capsys, "--strategy", bot) == first
    assert said(capsys, "--strategy", bot, "--seed", "4") != first


def test_the_archive_is_audited_and_the_equity_is_a_curve(
    capsys: pytest.CaptureFixture[str], bot: str, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    said(capsys, "--strategy", bot, "--output", str(folder))
    assert audit_archive(folder).is_equal
    with (folder / "equity.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) > 2
    assert console.main([*SHORT, "--strategy", bot, "--output", str(folder)]) != 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--strategy", "no_such_bot"], "no_such_bot"),
        (["--cash", "much"], "--cash much is no amount"),
        (["--without", "ann"], "--from-log FOLDER takes one of"),
        (["--from-log", ".", "--replace", "ann"], "write --replace BOT=STRATEGY"),
        (["--from-log", "/nowhere", "--without", "ann"], "/nowhere"),
    ],
)
def test_what_can_not_be_played_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert console.main([*SHORT, *arguments]) == 1
    error = capsys.readouterr().err
    assert says in error and "Traceback" not in error


def test_a_bot_is_taken_out_of_an_archive(
    capsys: pytest.CaptureFixture[str], bot: str, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    played = json.loads(said(capsys, "--strategy", bot, "--output", str(folder), "--json"))
    name = played["bots"][0]["client_id"]
    told = json.loads(
        said(capsys, "--from-log", str(folder), "--without", name, "--seeds", "2", "--json")
    )
    assert (told["bot"], told["change"], told["others_react"]) == (name, "away", True)
    assert [pair["name"] for pair in told["pairs"]] == ["3", "4"]
    assert all(pair["changed"] == "0.00" != pair["as_it_was"] for pair in told["pairs"])
