"""One learner on a simulated market: a Gymnasium environment."""

from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from venue_simulation.environments.learner_market import (
    BOUND,
    CHOICES,
    FEATURES,
    LearnerMarket,
    LearnerSettings,
)

LEARNER = "learner"
_SEEDS = 2**31

Observation: TypeAlias = NDArray[np.float32]


def observation_space() -> spaces.Box:
    """FEATURES numbers between -BOUND and BOUND; see LearnerMarket.observation."""
    return spaces.Box(-BOUND, BOUND, (FEATURES,), np.float32)


def action_space() -> spaces.MultiDiscrete:
    """A choice for the bid and one for the ask; see learner_market.CHOICES."""
    return spaces.MultiDiscrete([CHOICES, CHOICES])


class TradingEnv(gymnasium.Env[Observation, NDArray[np.int64]]):
    """The reward is what equity grew by, in dollars. The same seed gives the same episode."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, settings: LearnerSettings | None = None) -> None:
        self.observation_space = observation_space()
        self.action_space = action_space()
        self._settings = settings or LearnerSettings()
        self._market: LearnerMarket | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new market; without a seed, of one that is drawn."""
        super().reset(seed=seed)
        market_seed = int(self.np_random.integers(_SEEDS))
        self._market = LearnerMarket((LEARNER,), self._settings, market_seed)
        return self._observed(), {"market_seed": market_seed}

    def step(
        self, action: NDArray[np.int64]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Act, and let `step_s` of simulated time pass. RuntimeError before the first reset."""
        if self._market is None:
            raise RuntimeError("reset the environment before its first step")
        self._market.act({LEARNER: (int(action[0]), int(action[1]))})
        stopped = self._market.stopped(LEARNER)
        return (
            self._observed(),
            self._market.reward(LEARNER),
            stopped is not None,
            self._market.is_over,
            {} if stopped is None else {"stopped": stopped},
        )

    def _observed(self) -> Observation:
        assert self._market is not None
        seen: Observation = np.array(self._market.observation(LEARNER), dtype=np.float32)
        return seen
