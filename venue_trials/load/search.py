"""The highest rate that holds: doubled until one does not, then closed in on between the two."""

from collections.abc import Callable

from venue_trials.load.plan import LoadResult

LEAST_RATE, FIRST_RATE, MOST_RATE = 50.0, 500.0, 200_000.0
LONGEST_P99_MS = 1_000.0
ANSWERED_SHARE = 0.97
_NEAR_ENOUGH = 1.12
"""Two rates this close are one: the same rate held twice differs by as much on a machine with other
work.
"""


def search(
    holds: Callable[[float], bool], first: float = FIRST_RATE, most: float = MOST_RATE
) -> float:
    """The highest rate found that holds, from LEAST_RATE to `most`; 0.0 when not even that one
    does.
    """
    low, high = 0.0, 0.0
    rate = min(first, most)
    while high == 0.0:
        if not holds(rate):
            high = rate
        elif rate >= most:
            return rate
        else:
            low, rate = rate, min(rate * 2, most)
    while low == 0.0:
        if high <= LEAST_RATE:
            return 0.0
        rate = max(LEAST_RATE, high / 2)
        low, high = (rate, high) if holds(rate) else (0.0, rate)
    while high / low > _NEAR_ENOUGH:
        rate = (low * high) ** 0.5
        low, high = (rate, high) if holds(rate) else (low, rate)
    return low


def is_answered(result: LoadResult, seconds: float, rate: float) -> bool:
    """Whether the door kept up with a load: all accepted, and answered within a second."""
    p99_ms = result.acknowledged.p99_ms
    return (
        result.accepted >= ANSWERED_SHARE * rate * seconds
        and result.unsent == 0
        and result.unanswered == 0
        and p99_ms is not None
        and p99_ms <= LONGEST_P99_MS
    )
