"""The default population in a simulated market: one seed, one market; another seed, another one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from venue_simulation.backtest import BacktestSettings, Player, plan_of
from venue_simulation.market_run import run_market

ROOT = Path(__file__).resolve().parents[2]


def log_hash(seed: int) -> str:
    """Hash of the order log of half a minute in two securities."""
    return run_market(plan_of(BacktestSettings(securities=2, seconds=30, seed=seed))).log_hash


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_a_seed_gives_the_same_market_whatever_python_hashes(hash_seed: str) -> None:
    program = "from tests.simulation.test_default_population import log_hash; print(log_hash(3))"
    variables = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == log_hash(3) != log_hash(4)


def test_the_population_has_means_for_long_and_breaks_no_rule_of_the_venue() -> None:
    settings = BacktestSettings(
        players=[Player(strategy="avellaneda_stoikov")], securities=1, seconds=300, seed=5
    )
    run = run_market(plan_of(settings))
    population = [bot for bot in run.bots.values() if bot.group == "population"]
    assert len(population) >= 10
    for bot in population:
        assert bot.stopped is None
        assert not {code for code in bot.refused if code.startswith("risk.")}
        assert abs(bot.profit_e4) < bot.start_e4 / 50
    assert run.counts["trades"] > 100
