"""The outcome of a campaign, for people and for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from venue_chaos.campaign import Outcome
from venue_chaos.faults import ALL, BROKER, POSTGRES
from venue_chaos.recoveries import Recovery, median_and_worst
from venue_chaos.site import SERVICES
from venue_launcher.terminal import paint, table

_COLUMNS = (
    "recovered",
    "times",
    "ready: clean",
    "median",
    "worst",
    "first trade: clean",
    "median ",
    "worst ",
    "processor",
)
_KILLS = ("service killed", "all services killed")


def recovery_rows(recoveries: Iterable[Recovery]) -> list[dict[str, Any]]:
    """By target: median and worst seconds of the clean recoveries (for a service of its kills
    alone).
    """
    found = list(recoveries)
    rows = []
    for target in (*SERVICES, ALL, BROKER, POSTGRES):
        own = [
            each
            for each in found
            if each.target == target and (target not in SERVICES or each.kind in _KILLS)
        ]
        ready = [each.ready_s for each in own if each.is_ready_clean and each.ready_s is not None]
        through = [
            each.through_s for each in own if each.is_through_clean and each.through_s is not None
        ]
        used = [each.processor_s for each in own if each.processor_s is not None]
        if own:
            row: dict[str, Any] = {"target": target, "recoveries": len(own)}
            rows.append(
                row | _span("ready", ready) | _span("through", through) | _span("processor", used)
            )
    return rows


def _span(name: str, seconds: list[float]) -> dict[str, Any]:
    middle, worst = median_and_worst(seconds) if seconds else (None, None)
    return {f"{name}_clean": len(seconds), f"{name}_median_s": middle, f"{name}_worst_s": worst}


def as_json(outcome: Outcome) -> str:
    """One JSON object."""
    content = vars(outcome) | {
        "plan": asdict(outcome.plan),
        "recoveries": recovery_rows(outcome.recoveries),
        "passed": not outcome.violations,
    }
    return json.dumps(content, indent=2)


def for_people(outcome: Outcome) -> str:
    """Tables of faults, of what clients saw and of recoveries, then the verdict."""
    plan, compared = outcome.plan, outcome.compared
    lines = [
        f"seed {plan.seed}: {sum(outcome.faults.values())} faults in {plan.seconds:.0f} s "
        f"({outcome.seconds:.0f} s with start of trading, rest and proof)",
        "",
        table(
            [{"fault": kind, "times": count} for kind, count in sorted(outcome.faults.items())],
            ("fault", "times"),
        ),
        "",
        table(
            [{"clients saw": k, "times": n} for k, n in sorted(outcome.troubles.items())],
            ("clients saw", "times"),
        ),
        "",
        table([_shown(row) for row in recovery_rows(outcome.recoveries)], _COLUMNS),
        "",
        f"{outcome.acknowledged:,} orders acknowledged to clients, {outcome.refused:,} refused, "
        f"{outcome.deposits:,} deposits, {outcome.phases:,} phases commanded, "
        f"{outcome.suspensions:,} suspensions, "
        f"{outcome.repeated_messages:,} messages brought again",
        ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in compared.items()),
    ]
    lines += [f"not possible here: {', '.join(outcome.impossible)}"] if outcome.impossible else []
    if not outcome.violations:
        return "\n".join(
            [*lines, paint("nothing lost, nothing twice, no cent and no share adrift", "green")]
        )
    return "\n".join([*lines, *(paint(violation, "red") for violation in outcome.violations)])


def _shown(row: dict[str, Any]) -> dict[str, str]:
    """The row with its seconds in words, under the headings of the table."""
    texts = [row["target"], str(row["recoveries"])]
    for name in ("ready", "through"):
        texts.append(str(row[f"{name}_clean"]))
        values = (row[f"{name}_median_s"], row[f"{name}_worst_s"])
        texts += [_seconds(value) for value in values]
    texts.append(_seconds(row["processor_median_s"]))
    return dict(zip(_COLUMNS, texts, strict=True))


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
