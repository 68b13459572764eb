"""Several learners on one simulated market: a PettingZoo parallel environment."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from venue_simulation.environments.learner_market import LearnerMarket, LearnerSettings
from venue_simulation.environments.trading_env import (
    Observation,
    action_space,
    observation_space,
)

_SEEDS = 2**31


class ParallelTradingEnv(ParallelEnv[str, Observation, NDArray[np.int64]]):
    """All learners act at the same moment; in one microsecond, the first named comes first."""

    metadata: dict[str, Any] = {"name": "venue_market_v0", "render_modes": []}

    def __init__(self, learners: int = 2, settings: LearnerSettings | None = None) -> None:
        self.possible_agents = [f"learner_{number}" for number in range(learners)]
        self.agents: list[str] = []
        self._settings = settings or LearnerSettings()
        self._observation_spaces = {name: observation_space() for name in self.possible_agents}
        self._action_spaces = {name: action_space() for name in self.possible_agents}
        self._dice = np.random.default_rng()
        self._market: LearnerMarket | None = None

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The same for every learner."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The same for every learner."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """A new market; without a seed, of one that is drawn."""
        if seed is not None:
            self._dice = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        market_seed = int(self._dice.integers(_SEEDS))
        self._market = LearnerMarket(tuple(self.possible_agents), self._settings, market_seed)
        return self._observed(self.agents), {name: {} for name in self.agents}

    def step(
        self, actions: dict[str, NDArray[np.int64]]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Let all act, and `step_s` of simulated time pass. RuntimeError before a reset."""
        if self._market is None:
            raise RuntimeError("reset the environment before its first step")
        market, agents = self._market, self.agents
        market.act({name: (int(actions[name][0]), int(actions[name][1])) for name in agents})
        stopped = {name: market.stopped(name) for name in agents}
        is_over = market.is_over
        self.agents = [] if is_over else [name for name in agents if stopped[name] is None]
        return (
            self._observed(agents),
            {name: market.reward(name) for name in agents},
            {name: stopped[name] is not None for name in agents},
            dict.fromkeys(agents, is_over),
            {name: {} for name in agents},
        )

    def _observed(self, agents: list[str]) -> dict[str, Observation]:
        assert self._market is not None
        return {name: np.array(self._market.observation(name), dtype=np.float32) for name in agents}
