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

    def draw(self, count: int, now_s: float, paid: int = 0) -> float:
        """Take `count` tokens and return 0; or take none and return the seconds to wait.

        `paid` of them were taken before, by the same request. More than the bucket ever holds is
        taken from a full one, and leaves a debt that is worked off before anything else is taken.
        Example: at 10 a second a bucket holds 50; a list of 100 is taken from a full bucket, and
        the next order 5.1 seconds later.
        """
        capacity = self.per_second * BURST_S
        self.tokens = min(capacity, self.tokens + (now_s - self.filled_at_s) * self.per_second)
        self.filled_at_s = now_s
        missing = min(count, capacity) - paid - self.tokens
        if missing > 0:
            return missing / self.per_second
        self.tokens -= max(0, count - paid)
        return 0.0
