"""A verdict in words and as JSON."""

from typing import Any

import msgspec

from venue_audit.archive_audit import ArchiveVerdict
from venue_audit.proof import Verdict
from venue_launcher.terminal import paint

_COMPARED = (
    "orders",
    "execution_reports",
    "trades",
    "journals",
    "settlement_reports",
    "accounts",
    "deposits",
    "open_orders",
)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Everything, for programs."""
    content: dict[str, Any] = msgspec.to_builtins(verdict)
    return {"equal": verdict.is_equal} | content


def lines(verdict: Verdict) -> list[str]:
    """What was compared, each difference, and the verdict."""
    counts = verdict.counts
    compared = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in _COMPARED)
    said = [
        f"folded    {counts['log_rows']:,} rows of the order log into {counts['events']:,} events",
        f"compared  {compared}",
        f"replayed  {counts['reports_replayed']:,} settlement reports by themselves, and checked "
        "their hash chains",
    ]
    if counts["engines_compared"]:
        is_parted = any(
            difference.subject.startswith("engine ") for difference in verdict.differences
        )
        found = (
            "are NOT those of the log: see below"
            if is_parted
            else "are those of the log, byte for byte"
        )
        said.append(f"live      the running engine's books {found}")
    if verdict.unsettled_events or verdict.unrecorded_events:
        said.append(
            f"under way {verdict.unsettled_events:,} events not settled yet,"
            f" {verdict.unrecorded_events:,} not recorded yet"
        )
    return [*said, *_differences(verdict), _conclusion(verdict)]


def archive_json(verdict: ArchiveVerdict) -> dict[str, Any]:
    """The verdict on an archive, for programs."""
    content: dict[str, Any] = msgspec.to_builtins(verdict)
    return {"equal": verdict.is_equal} | content


def archive_lines(verdict: ArchiveVerdict) -> list[str]:
    """What was derived from an archive, each difference, and the verdict."""
    counts = verdict.counts
    return [
        f"folded    {counts['log_rows']:,} rows of the order log into {counts['events']:,} events",
        f"derived   {counts['trades']:,} trades, {counts['settlement_reports']:,} settlement "
        f"reports, {counts['accounts']:,} accounts, {counts['open_orders']:,} open orders",
        *_differences(verdict),
        _conclusion(verdict),
    ]


def _differences(verdict: Verdict | ArchiveVerdict) -> list[str]:
    said = [f"{paint('DIFFERENT', 'red')} {difference}" for difference in verdict.differences]
    unnamed = verdict.found - sum(1 + difference.later for difference in verdict.differences)
    if unnamed:
        said.append(f"{paint('DIFFERENT', 'red')} and {unnamed:,} more")
    return said


def _conclusion(verdict: Verdict | ArchiveVerdict) -> str:
    if verdict.is_equal:
        return paint(
            "EQUAL: every cent, share, order and report is what the log and the reports say",
            "green",
        )
    return paint(f"NOT EQUAL: {verdict.found:,} differences", "red")
