"""The demo's cast and picture, without a venue."""

import io
import os
import shutil
from typing import Any

import pytest

from trading_bots.strategies import STRATEGIES
from venue_cli.demo.cast import RATES, assemble
from venue_cli.demo.screen import Screen
from venue_launcher.admin_client import Administration


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


def test_each_security_has_a_bot_of_each_strategy_and_every_strategy_plays() -> None:
    cast = assemble(FakeAdministration(), ["AAPL", "MSFT"], 1)
    assert {(bot.strategy, bot.security) for bot in cast.bots} >= {
        (s, n) for s in RATES for n in ("AAPL", "MSFT")
    }
    assert {bot.strategy for bot in cast.bots} == set(STRATEGIES)
    assert len({bot.seed for bot in cast.bots}) == len(cast.bots)


def test_traders_get_what_each_trader_gets_and_only_market_makers_bring_shares() -> None:
    administration = FakeAdministration()
    cast = assemble(administration, ["AAPL"], 1)
    for bot in cast.traders():
        assert administration.made[bot.client_id] == ("trader", None, None)
    rich = {bot.client_id for bot in cast.bots} - {bot.client_id for bot in cast.traders()}
    assert all(administration.made[client_id][0] == "market_maker" for client_id in rich)
    assert administration.made[cast.guest.client_id] == ("trader", None, None)


def test_a_second_demo_on_the_same_venue_has_accounts_of_its_own() -> None:
    administration = FakeAdministration("market_maker", "ann", "demo2.left-over")
    assert [assemble(administration, ["AAPL"], 1).prefix for _ in range(3)] == [
        "demo1.",
        "demo3.",
        "demo4.",
    ]


def test_the_same_seed_gives_the_bots_the_same_dice() -> None:
    seeds = [
        [bot.seed for bot in assemble(FakeAdministration(), ["AAPL"], seed).bots]
        for seed in (1, 1, 2)
    ]
    assert seeds[0] == seeds[1] and not set(seeds[0]) & set(seeds[2])


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
