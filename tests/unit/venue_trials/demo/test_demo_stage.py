"""The demo's cast and picture, without a venue."""

import io
import os
import shutil
from typing import Any

import pytest

from trading_bots.population.default_population import default_population
from venue_launcher.admin_client import Administration
from venue_trials.demo.cast import EXAMPLES, PLAYERS, assemble, traded
from venue_trials.demo.screen import Screen


class FakeAdministration(Administration):
    """Remembers the accounts it made."""

    def __init__(self, *existing: str) -> None:
        self.made: dict[str, tuple[str, str | None, dict[str, int] | None]] = {}
        self._existing = existing

    def clients(self) -> list[dict[str, Any]]:
        return [{"client_id": client_id} for client_id in [*self._existing, *self.made]]

    def create_client(
        self,
        client_id: str,
        role: str = "trader",
        cash: str | None = None,
        shares: dict[str, int] | None = None,
    ) -> str:
        assert client_id not in self.made
        self.made[client_id] = (role, cash, shares)
        return f"key of {client_id}"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


LISTED = [
    {"security": "AAPL", "reference_price": "100.00", "tick": "0.01"},
    {"security": "MSFT", "reference_price": "250.00", "tick": "0.05"},
]
SECURITIES = traded(LISTED)
ORIGIN_US = 1_767_623_400_000_000


def test_the_demo_is_the_default_population_on_the_listed_securities() -> None:
    administration = FakeAdministration()
    cast = assemble(administration, SECURITIES, 7, ORIGIN_US)
    population = default_population(7, SECURITIES, origin_us=ORIGIN_US)
    assert [
        (bot.client_id, bot.strategy, bot.parameters) for bot in cast.bots[: -len(PLAYERS)]
    ] == [(f"demo1.{bot.client_id}", bot.strategy, dict(bot.parameters)) for bot in population]
    assert {bot.traded() for bot in cast.bots[: -len(PLAYERS)]} == {("AAPL",), ("MSFT",)}


def test_players_get_what_each_trader_gets_and_the_population_is_not_ranked() -> None:
    administration = FakeAdministration()
    cast = assemble(administration, SECURITIES, 1, ORIGIN_US)
    players = [bot for bot in cast.bots if bot.strategy in PLAYERS]
    assert [bot.strategy for bot in players] == list(PLAYERS)
    for bot in players:
        assert administration.made[bot.client_id] == ("trader", None, None)
        assert bot.traded() == ("AAPL", "MSFT")
    others = [bot for bot in cast.bots if bot.strategy not in PLAYERS]
    assert {administration.made[bot.client_id][0] for bot in others} == {"market_maker"}
    assert administration.made[cast.guest.client_id] == ("trader", None, None)


def test_a_day_has_one_bot_of_each_example_in_each_security() -> None:
    administration = FakeAdministration()
    cast = assemble(administration, SECURITIES, 1, ORIGIN_US, is_day=True)
    assert sorted((bot.strategy, bot.security) for bot in cast.bots) == sorted(
        (strategy, name) for strategy in EXAMPLES for name in ("AAPL", "MSFT")
    )
    rich = {name for name, (role, _, _) in administration.made.items() if role == "market_maker"}
    assert rich == {"demo1.market_maker.aapl", "demo1.market_maker.msft"}


def test_a_second_demo_on_the_same_venue_has_accounts_of_its_own() -> None:
    administration = FakeAdministration("market_maker", "ann", "demo2.left-over")
    assert [assemble(administration, SECURITIES, 1, ORIGIN_US).prefix for _ in range(3)] == [
        "demo1.",
        "demo3.",
        "demo4.",
    ]


def test_the_same_seed_gives_the_same_bots_and_another_one_others() -> None:
    casts = [assemble(FakeAdministration(), SECURITIES, seed, ORIGIN_US).bots for seed in (1, 1, 2)]
    assert casts[0] == casts[1]
    assert not {bot.seed for bot in casts[0]} & {bot.seed for bot in casts[2]}


def test_a_terminal_gets_pictures_that_fit_and_lines_to_paste_uncut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((40, 12)))
    stream = Terminal()
    Screen(stream).show(0.0, ["h" * 60], [f"standing {n}" for n in range(50)], ["x" * 100])
    picture = (
        stream.getvalue()
        .replace("\x1b[H", "")
        .replace("\x1b[K", "")
        .replace("\x1b[0m", "")
        .replace("\x1b[J", "")
    )
    lines = picture.split("\n")
    assert lines[0] == "h" * 39 and lines[-1] == "x" * 100
    assert sum(-(-max(len(line), 1) // 40) for line in lines) <= 12


def test_elsewhere_a_few_lines_come_every_few_seconds() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    for second in range(11):
        screen.show(
            float(second),
            [f"at {second}"],
            ["heading", *[f"standing {n}" for n in range(9)]],
            ["foot"],
        )
    shown = stream.getvalue()
    assert [line for line in shown.splitlines() if line.startswith("at")] == ["at 2", "at 7"]
    assert "standing 4" in shown and "standing 5" not in shown and "\x1b" not in shown
