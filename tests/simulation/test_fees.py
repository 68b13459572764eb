"""Simulated markets with fees: what bots pay the venue collects, and the archive proves it."""

from decimal import Decimal
from pathlib import Path

from venue_audit.archive_audit import audit_archive
from venue_protocol.fee_schedule import FeeRow
from venue_protocol.fees import FeeRates
from venue_simulation.backtest import BacktestSettings, Player, as_json, lines, plan_of
from venue_simulation.counterfactual import plan_of_json
from venue_simulation.market_archive import MarketArchive
from venue_simulation.market_plan import plan_json
from venue_simulation.market_run import run_market

SETTINGS = BacktestSettings(
    players=[Player(strategy="market_maker")], seconds=120, seed=3, fees=FeeRates(-1, 3, 1)
)


def test_what_the_bots_pay_is_collected_and_the_archive_is_equal(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    played = run_market(plan_of(SETTINGS), archive=folder)
    paid_e4 = sum(bot.numbers["fees_e4"] for bot in played.bots.values())
    verdict = audit_archive(folder)
    assert verdict.is_equal, verdict.differences
    accounts = {account.client_id: account for account in MarketArchive(folder).accounts()}
    assert paid_e4 == accounts["fees"].balance_e4 > 0
    assert "fees" in "\n".join(lines(played))
    (player,) = [bot for bot in as_json(played)["bots"] if bot["client_id"] == "player_1"]
    assert Decimal(player["fees"]) < 0, "a maker gets rebates"


def test_a_market_costs_something_with_fees_and_nothing_without() -> None:
    free = run_market(plan_of(BacktestSettings(seconds=60, seed=3)))
    paid = run_market(plan_of(BacktestSettings(seconds=60, seed=3, fees=FeeRates(0, 1, 0))))
    assert sum(bot.numbers["fees_e4"] for bot in free.bots.values()) == 0
    assert sum(bot.numbers["fees_e4"] for bot in paid.bots.values()) > 0


def test_a_plan_with_fees_survives_its_manifest_and_one_without_says_nothing_of_them() -> None:
    plan = plan_of(SETTINGS)
    assert plan.fees == (FeeRow("*", "standard", -1, 3, 1),)
    again = plan_of_json(plan_json(plan))
    assert again.fees == plan.fees
    assert "fees" not in plan_json(plan_of(BacktestSettings(seconds=60)))
