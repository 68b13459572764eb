"""What a schedule is drawn from, what it did, and how it failed."""

from collections import Counter
from dataclasses import dataclass, field

from venue_protocol.securities import Security
from venue_simulation import faults as kinds


@dataclass(frozen=True)
class Plan:
    """What a schedule is drawn from. Equal plans give equal runs."""

    seed: int
    steps: int = 200
    kinds: frozenset[str] = frozenset(kinds.KINDS)
    most_events: int = 5_000
    """Events of one message."""


@dataclass
class Outcome:
    """What one schedule did."""

    faults: Counter[str]
    commands: int
    trades: int
    commits: int
    messages: int
    trace: list[str] = field(default_factory=list)


class Failure(Exception):
    """A schedule broke a promise. The cause is the Violation, or whatever stopped a service."""

    def __init__(self, plan: Plan, steps: int, trace: list[str], cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.plan = plan
        self.steps = steps
        """Steps done until it showed; with fewer it does not."""
        self.trace = trace
        self.cause = cause


def simulated_security(security_id: str, shard: int) -> Security:
    """A listing with a tick of 0.01 around 100.00."""
    return Security(
        security_id,
        security_id,
        shard,
        tick_e4=100,
        lot=1,
        band_bps=5000,
        reference_price_e4=1_000_000,
    )
