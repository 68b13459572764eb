"""The outcome of a campaign, for people and for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from venue_cli.chaos.campaign import Outcome
from venue_cli.chaos.faults import BROKER, POSTGRES
from venue_cli.chaos.recoveries import Recovery, median_and_worst
from venue_cli.chaos.site import SERVICES
from venue_cli.table import render
from venue_cli.terminal import paint

_COLUMNS = (
    "recovered",
    "times",
    "undisturbed",
    "ready, median",
    "ready, worst",
    "first trade, median",
    "first trade, worst",
)
_KILLS = ("service killed", "worker killed", "all services killed")


def recovery_rows(recoveries: Iterable[Recovery]) -> list[dict[str, Any]]:
    """By target: how many undisturbed recoveries (kills alone for a service), their median and worst."""
    found = list(recoveries)
    rows = []
    for target in (*SERVICES, "all services", BROKER, POSTGRES):
        own = [each for each in found if each.target == target and (target not in SERVICES or each.kind in _KILLS)]
        clean = [each for each in own if each.is_undisturbed]
        row: dict[str, Any] = {"target": target, "recoveries": len(own), "undisturbed": len(clean)}
        for name, values in (("ready", [each.ready_s for each in clean]), ("through", [r.through_s for r in clean])):
            known = [value for value in values if value is not None]
            middle, worst = median_and_worst(known) if known else (None, None)
            row |= {f"{name}_median_s": middle, f"{name}_worst_s": worst}
        if own:
            rows.append(row)
    return rows


def as_json(outcome: Outcome) -> str:
    """One JSON object."""
    content = asdict(outcome) | {"recoveries": recovery_rows(outcome.recoveries), "passed": not outcome.violations}
    return json.dumps(content, indent=2, default=str)


def for_people(outcome: Outcome) -> str:
    """Tables of faults, of what clients saw and of recoveries, then the verdict."""
    plan, compared = outcome.plan, outcome.compared
    lines = [
        f"seed {plan.seed}: {sum(outcome.faults.values())} faults in {plan.seconds:.0f} s "
        f"({outcome.seconds:.0f} s with start of trading, rest and proof)",
        "",
        render([{"fault": kind, "times": count} for kind, count in sorted(outcome.faults.items())], ("fault", "times")),
        "",
        render([{"clients saw": k, "times": n} for k, n in sorted(outcome.troubles.items())], ("clients saw", "times")),
        "",
        render([_shown(row) for row in recovery_rows(outcome.recoveries)], _COLUMNS),
        "",
        f"{outcome.acknowledged:,} orders acknowledged to clients, {outcome.refused:,} refused, "
        f"{outcome.deposits:,} deposits, {outcome.repeated_messages:,} messages brought again",
        ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in compared.items()) + " compared",
    ]
    lines += [f"not possible here: {', '.join(outcome.impossible)}"] if outcome.impossible else []
    if not outcome.violations:
        return "\n".join([*lines, paint("nothing lost, nothing twice, no cent and no share adrift", "green")])
    return "\n".join([*lines, *(paint(violation, "red") for violation in outcome.violations)])


def _shown(row: dict[str, Any]) -> dict[str, str]:
    """The row with its seconds in words, under the headings of the table."""
    seconds = [row[f"{name}_{what}_s"] for name in ("ready", "through") for what in ("median", "worst")]
    texts = ["-" if value is None else f"{value:.2f} s" for value in seconds]
    return dict(zip(_COLUMNS, [row["target"], str(row["recoveries"]), str(row["undisturbed"]), *texts], strict=True))
