"""When a whole venue holds a rate."""

from venue_trials.bench.run_figures import RunFigures
from venue_trials.load.search import ANSWERED_SHARE, LONGEST_P99_MS

_THROUGH_SHARE = 0.92
"""Of the rate asked for.

Settled and recorded are looked at twice a second, so their rates are known less exactly.
"""
_LONGEST_DRAIN_S = 2.0


def has_held(figures: RunFigures) -> bool:
    """Whether a venue kept up with a load: accepted, answered within a second, settled and recorded
    as fast as that.
    """
    p99_ms = figures.acknowledged.p99_ms
    return (
        figures.accepted >= ANSWERED_SHARE * figures.rate
        and min(figures.settled, figures.recorded) >= _THROUGH_SHARE * figures.rate
        and figures.load.unsent == 0
        and figures.load.unanswered == 0
        and p99_ms is not None
        and p99_ms <= LONGEST_P99_MS
        and figures.drain_s <= _LONGEST_DRAIN_S
    )
