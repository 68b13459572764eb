"""The ladder: who is better is rated higher, seats are swapped, and matches are remembered."""

import json
from pathlib import Path

import pytest

from venue_competition.ladder import MATCHES_FILE, climb, stored_bots
from venue_launcher.errors import CommandError

MARKET = """
name = "short"
seconds = 20
[shares]
ACME = 20
[[securities]]
security = "ACME"
[population]
name = "examples"
size = 4
"""
IDLE = "from trading_bots.strategy import Strategy\n\n\nclass Idle(Strategy):\n    pass\n"
WASTEFUL = '''
from trading_bots.commands import Place
from trading_bots.strategy import Strategy


class Wasteful(Strategy):
    """Buys at any price and sells at any price, to and fro: it pays the spread each time."""

    interval_s = 0.5

    def __init__(self):
        self.calls = 0

    def on_timer(self, view, name):
        self.calls += 1
        rules = view.rules("ACME")
        if self.calls % 2:
            yield Place("ACME", "BUY", 8, rules.band_high, "IOC")
        else:
            yield Place("ACME", "SELL", 8, rules.band_low, "IOC")
'''


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    folder = tmp_path / "ladder"
    folder.mkdir()
    (folder / "ladder.toml").write_text(MARKET)
    (folder / "wasteful.py").write_text(WASTEFUL)
    return folder


def test_a_bot_that_does_nothing_beats_one_that_gives_shares_away(
    ladder: Path, tmp_path: Path
) -> None:
    (tmp_path / "idle.py").write_text(IDLE)
    climbed = climb(ladder, str(tmp_path / "idle.py"), 2, lambda line: None)
    (pairing,) = climbed.pairings
    assert (climbed.bot, pairing.opponent) == ("idle", "wasteful")
    assert all(difference > 0 for difference in pairing.differences_e4())
    assert [rating.bot for rating in climbed.ratings] == ["idle", "wasteful"]
    best = climbed.ratings[0]
    assert best.low <= best.elo <= best.high


def test_a_bot_against_itself_is_even_since_seats_are_swapped(ladder: Path, tmp_path: Path) -> None:
    (tmp_path / "twin.py").write_text(WASTEFUL)
    climbed = climb(ladder, str(tmp_path / "twin.py"), 2, lambda line: None)
    assert climbed.pairings[0].differences_e4() == [0, 0]
    assert climbed.pairings[0].rounds_until_known is None
    assert {rating.elo for rating in climbed.ratings} == {1500.0}


def test_matches_are_remembered_and_played_anew_not_twice(ladder: Path, tmp_path: Path) -> None:
    (tmp_path / "idle.py").write_text(IDLE)
    for _ in range(2):
        climb(ladder, str(tmp_path / "idle.py"), 1, lambda line: None)
    assert json.loads((ladder / MATCHES_FILE).read_text()) == [
        {"one": "idle", "other": "wasteful", "points": 2}
    ]


def test_an_empty_folder_and_a_file_without_a_class_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no bots"):
        stored_bots(tmp_path)
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(CommandError, match=r"empty\.py has no class"):
        stored_bots(tmp_path)
