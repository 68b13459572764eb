"""The environments pass the checks of those who made the interfaces."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from venue_simulation.environments.learner_market import CHOICES, LearnerSettings
from venue_simulation.environments.parallel_env import ParallelTradingEnv
from venue_simulation.environments.trading_env import TradingEnv

SHORT = LearnerSettings(seconds=20, step_s=0.5, warm_up_s=2)


def test_gymnasium_finds_no_fault() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*render.*")
        warnings.filterwarnings("ignore", message=".*spec.*")
        check_env(TradingEnv(SHORT), skip_render_check=True)


def test_pettingzoo_finds_no_fault() -> None:
    parallel_api_test(ParallelTradingEnv(3, SHORT), num_cycles=100)
    parallel_seed_test(lambda: ParallelTradingEnv(2, SHORT), num_cycles=60)


def test_an_episode_ends_when_its_time_is_up_and_quotes_are_filled() -> None:
    env = TradingEnv(LearnerSettings(seconds=60, step_s=0.5))
    first, _ = env.reset(seed=3)
    steps, total, is_over = 0, 0.0, False
    while not is_over:
        seen, reward, is_terminated, is_over, _ = env.step(np.array([1, 1]))
        assert env.observation_space.contains(seen) and not is_terminated
        steps, total = steps + 1, total + reward
    assert steps == 120 and total != 0.0
    assert not np.array_equal(first, seen)


@pytest.mark.parametrize("choice", range(CHOICES))
def test_every_choice_is_an_order_that_the_venue_takes(choice: int) -> None:
    env = TradingEnv(SHORT)
    env.reset(seed=1)
    for _ in range(10):
        _, _, is_terminated, _, info = env.step(np.array([choice, choice]))
        assert not is_terminated, info
    market = env.unwrapped._market  # type: ignore[attr-defined]
    assert market._market.seats["learner"].refused == {}


def test_a_step_before_the_first_reset_is_told() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        TradingEnv().step(np.array([0, 0]))
