"""Pauses between attempts: they double, and vary so that many bots do not return in step."""

import random

SHORTEST_S = 0.05
LONGEST_S = 3.0


class Backoff:
    """Delays in seconds, each drawn below a bound that doubles until LONGEST_S."""

    def __init__(self) -> None:
        self._attempts = 0

    def next_s(self, at_least_s: float = 0.0) -> float:
        """The next delay, never below `at_least_s` (what a Retry-After asked for)."""
        bound = min(LONGEST_S, SHORTEST_S * 2.0 ** min(self._attempts, 16))
        self._attempts += 1
        return at_least_s + random.uniform(bound / 2, bound)

    def reset(self) -> None:
        """Start again with the shortest delay, after a success."""
        self._attempts = 0
