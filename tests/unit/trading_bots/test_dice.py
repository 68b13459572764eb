"""Dice by name give the same draws everywhere."""

import os
import subprocess
import sys
from pathlib import Path

from trading_bots.dice import dice

ROOT = Path(__file__).parents[3]


def test_a_component_draws_the_same_numbers_under_its_seed_and_name_alone() -> None:
    first = [dice(1, "bot/ann").random() for _ in range(2)]
    assert first[0] == first[1]
    assert len({first[0], dice(2, "bot/ann").random(), dice(1, "bot/bob").random()}) == 3


def test_the_draws_do_not_depend_on_the_hash_seed() -> None:
    code = "from trading_bots.dice import dice; print(dice(7, 'bot/ann').random())"
    said = {
        subprocess.check_output(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}
        )
        for seed in ("0", "1")
    }
    assert len(said) == 1
