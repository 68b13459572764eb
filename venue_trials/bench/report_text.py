"""The figures of whole-venue benchmarks in words."""

from collections.abc import Iterator

from venue_launcher.terminal import table
from venue_trials.bench.machine import MachineLimits
from venue_trials.bench.overload import Overload
from venue_trials.bench.run_figures import DoorFigures, Part, RunFigures, StageFigures
from venue_trials.load.histogram import Latency
from venue_trials.load.plan import LoadResult

_LATENCY = ("from due to", "p50", "p90", "p99", "p99.9", "longest", "count")
_SECOND = (
    "second",
    "accepted",
    "matched",
    "settled",
    "trades settled",
    "recorded",
    "seen",
    "unmatched",
    "unsettled",
    "unrecorded",
)
_PARTS = ("part", "cores", "us/command", "memory MB")
_LATE_MS = 20.0


def limit_lines(limits: MachineLimits) -> Iterator[str]:
    """What the machine can do by itself."""
    yield (
        f"this machine now: {limits.messages:,.0f} broker messages/s of {limits.message_bytes:,} "
        "bytes, confirmed;"
        f" {limits.transactions:,.0f} transactions/s; {limits.rows_copied:,.0f} rows/s by COPY,"
        f" {limits.rows_updated:,.0f} updated by arrays"
    )


def run_lines(figures: RunFigures, limits: MachineLimits | None) -> Iterator[str]:
    """One run."""
    load = figures.load
    yield (
        f"{figures.case}, mix {figures.mix}, {figures.accounts:,} accounts, {figures.list_size} "
        "commands a request:"
        f" {figures.rate:,.0f} commands/s asked for, {figures.steady_s:.0f} s steady"
    )
    yield (
        f"a second: accepted {figures.accepted:,.0f}, matched {figures.matched:,.0f}, settled "
        f"{figures.settled:,.0f}"
        f" ({figures.trades_settled:,.0f} trades), recorded {figures.recorded:,.0f}, seen "
        f"{figures.seen:,.0f}"
    )
    if limits is not None:
        yield (
            "of this machine's own: commands accepted to rows by COPY "
            f"{figures.accepted / limits.rows_copied:.1%};"
            f" trades settled to rows updated {figures.trades_settled / limits.rows_updated:.1%};"
            " requests to confirmed messages "
            f"{figures.accepted / figures.list_size / limits.messages:.1%}"
        )
    yield ""
    yield table([_latency_row(name, found) for name, found in _latencies(figures)], _LATENCY)
    yield ""
    yield _part_table(figures.parts)
    yield ""
    yield f"drained {figures.drain_s:.1f} s after the load's end"
    yield from _load_lines(load)
    refused = ", ".join(f"{count:,} {code}" for code, count in sorted(load.refused.items()))
    if refused:
        yield f"refused: {refused}"


def stage_lines(figures: StageFigures) -> Iterator[str]:
    """One stage alone."""
    yield (
        f"{figures.stage} alone, mix {figures.mix}: {figures.commands:,} commands with "
        f"{figures.events:,} events"
        f" in {figures.seconds:.2f} s: {figures.commands_a_second:,.0f} commands/s,"
        f" {figures.events_a_second:,.0f} events/s"
    )
    yield _part_table(figures.parts)


def door_lines(figures: DoorFigures) -> Iterator[str]:
    """The gateway alone."""
    load = figures.load
    accepted = load.accepted / figures.seconds
    yield (
        "door alone, "
        f"{'committing to Postgres' if figures.is_committed else 'order log in memory, no commit'}:"
        f" {figures.case}, mix {figures.mix}, {figures.rate:,.0f} commands/s asked for, "
        f"{accepted:,.0f} accepted"
    )
    yield table([_latency_row("acknowledged", load.acknowledged)], _LATENCY)
    yield _part_table(figures.parts)
    yield from _load_lines(load)


def _part_table(parts: dict[str, Part]) -> str:
    rows = [
        {
            "part": name,
            "cores": f"{part.cores:.2f}",
            "us/command": f"{part.microseconds_a_command:.1f}",
            "memory MB": f"{part.memory_mb:,.0f}",
        }
        for name, part in parts.items()
    ]
    return table(rows, _PARTS)


def overload_lines(found: Overload) -> Iterator[str]:
    """What an overload did."""
    load = found.load
    refused = (
        ", ".join(f"{count:,} {code}" for code, count in sorted(load.refused.items())) or "none"
    )
    yield (
        f"overload: {found.rate:,.0f} commands/s for {found.seconds:.0f} s; accepted "
        f"{found.accepted:,.0f} a second;"
        f" requests refused: {refused}; {load.unsent:,} commands never sent, {load.unanswered:,} "
        "never answered"
    )
    again = (
        "not again"
        if found.normal_after_s is None
        else f"again {found.normal_after_s:.1f} s after the load's end"
    )
    yield (
        f"a lone order meanwhile: answered after {_ms(found.worst_ms)} at most; normal (up to "
        f"{_ms(found.normal_ms)})"
        f" {again}; all settled and recorded {found.drain_s:.1f} s after it"
    )


def second_lines(figures: RunFigures) -> Iterator[str]:
    """Each second of a run."""
    rows = [
        {
            "second": second.second,
            "accepted": f"{second.accepted:,}",
            "matched": f"{second.matched:,}",
            "settled": f"{second.settled:,}",
            "trades settled": f"{second.trades_settled:,}",
            "recorded": f"{second.recorded:,}",
            "seen": f"{second.seen:,}",
            "unmatched": f"{second.unmatched:,}",
            "unsettled": f"{second.unsettled:,}",
            "unrecorded": f"{second.unrecorded:,}",
        }
        for second in figures.seconds
    ]
    yield table(rows, _SECOND)


def _load_lines(load: LoadResult) -> Iterator[str]:
    """What the load generator says of itself: a load that was not sent as asked for proves
    nothing.
    """
    late = load.lateness
    yield (
        f"load generator: {load.own_share:.0%} of a core, late by {_ms(late.p50_ms)} (p50), "
        f"{_ms(late.p99_ms)} (p99),"
        f" {_ms(late.longest_ms)} at most"
    )
    if late.p99_ms is not None and late.p99_ms > _LATE_MS:
        yield "the load generator itself was late: the latencies above include its own lateness"
    if load.unsent:
        yield (
            f"{load.unsent:,} of {load.due:,} commands had no free connection until the end: the "
            "rate was not held"
        )
    if load.lost_connections:
        yield f"{load.lost_connections:,} connections were lost"


def _latencies(figures: RunFigures) -> Iterator[tuple[str, Latency]]:
    yield "acknowledged", figures.acknowledged
    yield "matched", figures.matched_after
    yield "settled (those that trade)", figures.settled_after
    yield "seen on the private stream", figures.seen_after
    yield "settlement seen", figures.settlement_seen_after


def _latency_row(name: str, found: Latency) -> dict[str, str]:
    values = (found.p50_ms, found.p90_ms, found.p99_ms, found.p999_ms, found.longest_ms)
    return dict(zip(_LATENCY, [name, *map(_ms, values), f"{found.count:,}"], strict=True))


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"
