"""From what was noted to figures: rates of each stage, latencies from due to each stage, backlog,
processor time.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from venue_trials.bench.positions import Position
from venue_trials.bench.usage import Usage
from venue_trials.bench.watcher_process import Watched
from venue_trials.load.histogram import Histogram, Latency, summary
from venue_trials.load.plan import Case, LoadPlan, LoadResult
from venue_trials.load.rows import Row, Rows

_SECOND_NS = 10**9
_EXECUTED, _SETTLED = 0, 1
VENUE_PARTS = ("gateway", "engine", "clearinghouse", "feed", "broker", "database")
"""All parts but what watches and what loads."""


class Second(msgspec.Struct, frozen=True):
    """One second of a run; commands unless said otherwise."""

    second: int
    accepted: int
    matched: int
    settled: int
    """Commands all of whose events are settled."""
    trades_settled: int
    recorded: int
    seen: int
    """Messages on the private streams that were heard."""
    unmatched: int
    """Accepted and not matched at the end of the second; likewise the next two."""
    unsettled: int
    unrecorded: int


class Part(msgspec.Struct, frozen=True):
    """What one part of the venue used in the steady state."""

    cores: float
    """Processor seconds a second."""
    microseconds_a_command: float
    memory_mb: float
    """The most that was seen."""


class RunFigures(msgspec.Struct, frozen=True):
    """One load on one venue. Rates are means of the steady state, a second."""

    case: Case
    mix: str
    rate: float
    """Commands a second that were asked for."""
    list_size: int
    accounts: int
    steady_s: float
    accepted: float
    matched: float
    settled: float
    trades_settled: float
    recorded: float
    seen: float
    acknowledged: Latency
    matched_after: Latency
    settled_after: Latency
    """Of orders that traded as they arrived, to the settlement of their last trade."""
    seen_after: Latency
    """Of orders of the watched clients, to their acceptance on the private stream."""
    settlement_seen_after: Latency
    parts: dict[str, Part]
    drain_s: float
    """From the end of the load until everything was settled and recorded."""
    load: LoadResult
    seconds: list[Second]

    @property
    def microseconds_a_command(self) -> float:
        """Processor time of the whole venue, servers included."""
        return sum(
            self.parts[name].microseconds_a_command for name in VENUE_PARTS if name in self.parts
        )


class StageFigures(msgspec.Struct, frozen=True):
    """What one stage did alone."""

    stage: str
    mix: str
    commands: int
    events: int
    seconds: float
    commands_a_second: float
    events_a_second: float
    parts: dict[str, Part]
    load: LoadResult
    """Of the filling."""


class DoorFigures(msgspec.Struct, frozen=True):
    """What the gateway did alone."""

    case: Case
    mix: str
    rate: float
    is_committed: bool
    """To Postgres; otherwise the order log was in memory: what the door costs without its
    commit.
    """
    seconds: float
    parts: dict[str, Part]
    """Means of the whole load, the warm-up included."""
    load: LoadResult


def parts_since(
    before: Mapping[str, Usage], after: Mapping[str, Usage], seconds: float, commands: int
) -> dict[str, Part]:
    """What each part used between two looks."""
    used = {
        name: part.processor_s - before[name].processor_s
        for name, part in after.items()
        if name in before
    }
    return {
        name: Part(used_s / seconds, used_s / max(1, commands) * 1e6, after[name].memory_mb)
        for name, used_s in used.items()
    }


class Measured:
    """Everything that was noted of one load, ready to be asked."""

    def __init__(
        self,
        plan: LoadPlan,
        load: LoadResult,
        rows: Rows,
        watched: Watched,
        taken: Sequence[Position],
    ) -> None:
        self.plan = plan
        self.load = load
        self.rows = list(rows)
        self.watched = watched
        self.taken = taken
        self.begin_ns = load.start_ns + int(plan.warm_up_s * _SECOND_NS)
        self.end_ns = load.start_ns + int(plan.seconds * _SECOND_NS)
        self._by_sequence = sorted(
            (row for row in self.rows if row.accepted), key=lambda row: row.first
        )
        self._firsts = [row.first for row in self._by_sequence]
        # The venue has a past that the watcher did not see.
        self._log_before = self._firsts[0] - 1 if self._firsts else 0
        self._trades_before = min(watched.aggressors.values(), default=1) - 1

    def figures(self, memory_mb: dict[str, float], drain_s: float) -> RunFigures:
        """The figures."""
        steady_s = (self.end_ns - self.begin_ns) / _SECOND_NS
        accepted = sum(
            row.accepted for row in self.rows if self.begin_ns <= row.answered_ns < self.end_ns
        )
        first, last = self._steady_positions()
        looked_s = max(1e-9, (last.time_ns - first.time_ns) / _SECOND_NS)
        seen = sum(self.begin_ns <= time_ns < self.end_ns for time_ns, _, _ in self.watched.seen)
        return RunFigures(
            case=self.plan.case,
            mix=self.plan.mix.name,
            rate=self.plan.rate,
            list_size=1 if self.plan.case == "http-single" else self.plan.list_size,
            accounts=len(self.plan.accounts),
            steady_s=steady_s,
            accepted=accepted / steady_s,
            matched=self._gain(self._matched_at) / steady_s,
            settled=(self._commands(last.settled_events) - self._commands(first.settled_events))
            / looked_s,
            trades_settled=self._gain(self._trades_settled_at) / steady_s,
            recorded=(self._commands(last.recorded_events) - self._commands(first.recorded_events))
            / looked_s,
            seen=seen / steady_s,
            acknowledged=self.load.acknowledged,
            matched_after=self._matched_after(),
            settled_after=self._settled_after(),
            seen_after=self._seen_after(_EXECUTED),
            settlement_seen_after=self._seen_after(_SETTLED),
            parts=self._parts(first, last, memory_mb),
            drain_s=drain_s,
            load=self.load,
            seconds=list(self._seconds()),
        )

    def _gain(self, at: Callable[[int], int]) -> int:
        return at(self.end_ns) - at(self.begin_ns)

    def _commands(self, events: int) -> int:
        return max(self._log_before, self.watched.log_of_event.newest(events))

    def _matched_at(self, time_ns: int) -> int:
        return max(self._log_before, self.watched.matched.at(time_ns))

    def _trades_settled_at(self, time_ns: int) -> int:
        return max(self._trades_before, self.watched.settled.at(time_ns))

    def _steady_positions(self) -> tuple[Position, Position]:
        inside = [taken for taken in self.taken if self.begin_ns <= taken.time_ns <= self.end_ns]
        inside = inside or list(self.taken)
        return inside[0], inside[-1]

    def _steady_rows(self) -> Iterator[Row]:
        return (row for row in self._by_sequence if self.begin_ns <= row.due_ns < self.end_ns)

    def due_ns(self, order_id: int) -> int | None:
        """When an order was due; None if it is not of this load's steady state."""
        place = bisect_right(self._firsts, order_id) - 1
        if place < 0:
            return None
        row = self._by_sequence[place]
        is_ours = order_id <= row.last and self.begin_ns <= row.due_ns < self.end_ns
        return row.due_ns if is_ours else None

    def _matched_after(self) -> Latency:
        histogram = Histogram()
        for row in self._steady_rows():
            when = self.watched.matched.when(row.last)
            if when is not None:
                histogram.record((when - row.due_ns) // 1000, row.accepted)
        return summary(histogram)

    def _settled_after(self) -> Latency:
        histogram = Histogram()
        for order_id, trade_id in self.watched.aggressors.items():
            due_ns, when = self.due_ns(order_id), self.watched.settled.when(trade_id)
            if due_ns is not None and when is not None:
                histogram.record((when - due_ns) // 1000)
        return summary(histogram)

    def _seen_after(self, wanted: int) -> Latency:
        """Of resting orders a settlement report may come any time later: only aggressors tell how
        long it takes.
        """
        histogram = Histogram()
        for time_ns, order_id, kind in self.watched.seen:
            if kind != wanted or (kind == _SETTLED and order_id not in self.watched.aggressors):
                continue
            due_ns = self.due_ns(order_id)
            if due_ns is not None:
                histogram.record((time_ns - due_ns) // 1000)
        return summary(histogram)

    def _parts(
        self, first: Position, last: Position, memory_mb: dict[str, float]
    ) -> dict[str, Part]:
        looked_s = max(1e-9, (last.time_ns - first.time_ns) / _SECOND_NS)
        after = {
            name: used._replace(memory_mb=memory_mb.get(name, 0.0))
            for name, used in last.usage.items()
        }
        return parts_since(first.usage, after, looked_s, last.logged - first.logged)

    def _seconds(self) -> Iterator[Second]:
        """Each second from the start until the last position was looked at, the drain included."""
        start_ns = self.load.start_ns
        accepted = _by_second(start_ns, ((row.answered_ns, row.accepted) for row in self.rows))
        seen = _by_second(start_ns, ((time_ns, 1) for time_ns, _, _ in self.watched.seen))
        until_ns = self.taken[-1].time_ns if self.taken else self.end_ns
        before = self._stages(start_ns)
        for second in range(max(1, -(-(until_ns - start_ns) // _SECOND_NS))):
            after = self._stages(start_ns + (second + 1) * _SECOND_NS)
            gained = {name: after[name] - before[name] for name in after}
            logged = after["logged"]
            yield Second(
                second + 1,
                accepted.get(second, 0),
                gained["matched"],
                gained["settled"],
                gained["trades_settled"],
                gained["recorded"],
                seen.get(second, 0),
                max(0, logged - after["matched_then"]),
                max(0, logged - after["settled"]),
                max(0, logged - after["recorded"]),
            )
            before = after

    def _stages(self, time_ns: int) -> dict[str, int]:
        """Where each stage was; those that are looked up twice a second as of the last look."""
        place = bisect_right(self.taken, time_ns, key=lambda taken: taken.time_ns) - 1
        looked = self.taken[max(0, place)]
        return {
            "logged": looked.logged,
            "matched": self._matched_at(time_ns),
            "matched_then": self._matched_at(looked.time_ns),
            "settled": self._commands(looked.settled_events),
            "trades_settled": self._trades_settled_at(time_ns),
            "recorded": self._commands(looked.recorded_events),
        }


def _by_second(start_ns: int, counts: Iterator[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for time_ns, count in counts:
        second = (time_ns - start_ns) // _SECOND_NS
        found[second] = found.get(second, 0) + count
    return found
