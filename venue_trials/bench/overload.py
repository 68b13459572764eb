"""Twice what the venue can do, for a minute: it refuses, loses nothing, and is soon itself
again.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic_ns

import msgspec

from venue_trials.bench.workbench import Workbench
from venue_trials.load import rows
from venue_trials.load.histogram import Histogram
from venue_trials.load.mixes import Mix
from venue_trials.load.plan import LoadPlan, LoadResult
from venue_trials.load.rows import Row
from venue_trials.load.sending import send

_IDLE_S, _AFTER_S = 5.0, 30.0
_TRICKLE_RATE = 20.0
_TRICKLE = Mix("trickle", rest=1.0, cancel=0.0, take=0.0)
_START_S = 3.0
_SAME_S = 1.0
_NORMAL_FACTOR, _LEAST_NORMAL_MS = 2.0, 50.0
_SECOND_NS = 10**9


class Overload(msgspec.Struct, frozen=True):
    """What an overload did."""

    rate: float
    seconds: float
    load: LoadResult
    accepted: float
    """Commands a second that were accepted while it lasted."""
    normal_ms: float
    """An answer to a lone order is normal up to this: twice its p99 before the load, at least 50
    ms.
    """
    worst_ms: float
    """Longest answer to a lone order during the load."""
    normal_after_s: float | None
    """Seconds from the load's end until lone orders were answered normally for a second; None if
    they never were.
    """
    drain_s: float


def overload(bench: Workbench, plan: LoadPlan) -> Overload:
    """Send the plan, which the venue can't keep up with, while one client goes on with 20 orders a
    second.
    """
    start_ns = monotonic_ns() + int((_START_S + _IDLE_S) * _SECOND_NS)
    with TemporaryDirectory(prefix="venue-bench-") as name, ThreadPoolExecutor(1) as beside:
        path = Path(name) / "rows"
        trickle = bench.plan(
            "http-single", _TRICKLE, _TRICKLE_RATE, 1, _IDLE_S + plan.seconds + _AFTER_S, 0.0
        )
        trickle = msgspec.structs.replace(
            trickle,
            accounts=bench.accounts[-1:],
            connections=1,
            start_ns=start_ns - int(_IDLE_S * _SECOND_NS),
            rows_path=str(path),
        )
        future = beside.submit(send, trickle)
        load = send(msgspec.structs.replace(plan, start_ns=start_ns, accounts=bench.accounts[:-1]))
        end_ns = load.start_ns + int(plan.seconds * _SECOND_NS)
        drained_ns = bench.drain_under_trickle(end_ns)
        future.result()
        told = list(rows.read(path))
    bench.drain()
    normal_ms = _normal_ms(told, load.start_ns)
    during = [_ms(row) for row in told if load.start_ns <= row.due_ns < end_ns]
    return Overload(
        plan.rate,
        plan.seconds,
        load,
        load.accepted / plan.seconds,
        normal_ms,
        max(during, default=0.0),
        normal_again(told, end_ns, normal_ms),
        max(0.0, (drained_ns - end_ns) / _SECOND_NS),
    )


def normal_again(told: Sequence[Row], end_ns: int, normal_ms: float) -> float | None:
    """Seconds from `end_ns` to the first second in which every request due in it was accepted in
    normal time.
    """
    after = sorted(row for row in told if row.due_ns >= end_ns)
    begin_ns = end_ns
    for row in after:
        if row.due_ns - begin_ns >= _SAME_S * _SECOND_NS:
            return (begin_ns - end_ns) / _SECOND_NS
        if _ms(row) > normal_ms or not row.accepted:
            begin_ns = max(row.due_ns + 1, row.answered_ns)
    return None


def _normal_ms(told: Sequence[Row], start_ns: int) -> float:
    histogram = Histogram()
    for row in told:
        if row.answered_ns < start_ns:
            histogram.record((row.answered_ns - row.due_ns) // 1000)
    return max(_LEAST_NORMAL_MS, _NORMAL_FACTOR * (histogram.percentile(99) or 0) / 1000)


def _ms(row: Row) -> float:
    return (row.answered_ns - row.due_ns) / 1e6
