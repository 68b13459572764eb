"""Waiting between attempts: exponential with full jitter, so that many clients do not return in
step.
"""

import random


class Backoff:
    """Delays in seconds between `shortest_s` and `longest_s`; `reset` after a success."""

    def __init__(self, shortest_s: float = 0.05, longest_s: float = 3.0) -> None:
        self._shortest_s = shortest_s
        self._longest_s = longest_s
        self._attempts = 0

    def next_s(self) -> float:
        """The next delay: uniform up to the doubling bound, never below the shortest."""
        bound = min(self._longest_s, self._shortest_s * 2.0**self._attempts)
        self._attempts = min(self._attempts + 1, 16)
        return random.uniform(self._shortest_s, max(bound, self._shortest_s))

    def reset(self) -> None:
        """Start again with the shortest delay."""
        self._attempts = 0
