"""A load's result in words."""

from collections.abc import Iterator

from venue_trials.load.histogram import Latency
from venue_trials.load.plan import LoadPlan, LoadResult


def lines(plan: LoadPlan, result: LoadResult) -> Iterator[str]:
    """What was sent, how it was answered, and how well the generator kept its own time."""
    yield (
        f"{plan.case}, mix {plan.mix.name}, {len(plan.accounts):,} accounts: {plan.rate:,.0f} "
        "commands/s asked for,"
        f" {result.sent / plan.seconds:,.0f} sent, {result.answered / plan.seconds:,.0f} answered,"
        f" {result.accepted / plan.seconds:,.0f} accepted a second"
    )
    yield f"acknowledged, from due: {latency(result.acknowledged)}"
    yield f"load generator: {result.own_share:.0%} of a core, late by {latency(result.lateness)}"
    if result.refused:
        yield "refused: " + ", ".join(
            f"{count:,} {code}" for code, count in sorted(result.refused.items())
        )
    if result.unsent or result.unanswered:
        yield (
            f"{result.unsent:,} commands never sent, {result.unanswered:,} never answered: the "
            "rate was not held"
        )


def latency(found: Latency) -> str:
    """Percentiles in one line."""
    values = (found.p50_ms, found.p90_ms, found.p99_ms, found.p999_ms, found.longest_ms)
    names = ("p50", "p90", "p99", "p99.9", "longest")
    return ", ".join(
        f"{name} {'-' if value is None else f'{value:,.1f} ms'}"
        for name, value in zip(names, values, strict=True)
    )
