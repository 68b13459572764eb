"""Token buckets: how many commands a client may send."""

from dataclasses import dataclass

BURST_S = 5
"""A client that was quiet may send this many seconds' worth at once."""


@dataclass(slots=True)
class TokenBucket:
    """Refills at `per_second`, holds at most BURST_S seconds' worth."""

    per_second: int
    tokens: float
    filled_at_s: float

    @classmethod
    def full(cls, per_second: int, now_s: float) -> "TokenBucket":
        """A full bucket."""
        return cls(per_second, float(per_second * BURST_S), now_s)

    def draw(self, count: int, now_s: float) -> float:
        """Take `count` tokens and return 0; or take none and return the seconds to wait."""
        capacity = self.per_second * BURST_S
        self.tokens = min(capacity, self.tokens + (now_s - self.filled_at_s) * self.per_second)
        self.filled_at_s = now_s
        if count <= self.tokens:
            self.tokens -= count
            return 0.0
        return (min(count, capacity) - self.tokens) / self.per_second
