"""How trades settle: one by one at once (gross), or netted in cycles (net). One rule for the door
and the engine.
"""

from typing import Final, Literal, NamedTuple

import msgspec

SettlementMode = Literal["gross", "net"]
GROSS: Final = "gross"
"""Each trade by itself, at once. The default."""
NET: Final = "net"
"""Continuous net settlement: what a member owes and is owed is summed, and settled in cycles."""

LEAST_INTERVAL_US: Final = 1_000_000
MOST_INTERVAL_US: Final = 86_400_000_000
MOST_LAG: Final = 5


def next_cycle_us(time_us: int, interval_us: int) -> int:
    """When the next cycle is due after this moment: the next multiple of the interval.

    An example: every 5 s, at 12:00:03 it is 12:00:05, and at 12:00:05 it is 12:00:10.
    """
    return (time_us // interval_us + 1) * interval_us


class SettlementPlan(msgspec.Struct, array_like=True):
    """How a shard settles now, by the engine. The default: gross, before the first cycle."""

    mode: SettlementMode = GROSS
    interval_us: int | None = None
    at_close: bool = False
    lag: int = 0
    cycle: int = 1
    """The cycle that collects now."""
    newest: int = 0
    """The latest cycle in which a trade can be due."""
    due_us: int = 1 << 62
    """When the present cycle ends by the time of the log; the default: never."""


class SettlementRow(NamedTuple):
    """How a shard settles, as commanded last."""

    shard: int
    mode: SettlementMode
    interval_us: int | None
    at_close: bool
    lag: int
    time_us: int
    """When it was commanded, by the log."""
