"""Plays markets of several seeds and compares their facts with those of real stocks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from venue_simulation.backtest import BacktestSettings, plan_of
from venue_simulation.fact_table import JUDGED, SHOWN, table, verdict
from venue_simulation.market_run import run_market
from venue_simulation.parent_impact import AFTERWARDS_S, ImpactSums
from venue_simulation.stylised_facts import WARM_UP_S, StylisedFacts


@dataclass
class MeasuredMarkets:
    """The facts of all securities of all seeds."""

    settings: BacktestSettings
    facts: dict[tuple[int, str], dict[str, float]] = field(default_factory=dict)
    """By seed and security."""
    impact: ImpactSums = field(default_factory=ImpactSums)

    def lines(self) -> list[str]:
        """The table for people."""
        seeds = len({seed for seed, _ in self.facts})
        given = self.settings
        return [
            f"default population, {seeds} seeds from {given.seed} on, "
            f"{given.securities} securities, {given.seconds / 3600:g} h each, without the first "
            f"{WARM_UP_S:g} s",
            "medians over the markets of all seeds and securities",
            "",
            *table(list(self.facts.values()), self.impact),
        ]

    def told(self, is_json: bool) -> str:
        """The one or the other."""
        return json.dumps(self.as_json(), indent=2) if is_json else "\n".join(self.lines())

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        markets = list(self.facts.values())
        found = verdict(markets)
        return {
            "seconds": self.settings.seconds,
            "rate": self.settings.rate,
            "is_passed": found.is_passed,
            "in_range": found.in_range,
            "judged": found.judged,
            "largest_range_percent": found.largest_range_percent,
            "facts": {
                each.fact: {
                    "stocks": list(each.stocks),
                    "range": [each.low, each.high],
                    "median": (middle := median(facts[each.fact] for facts in markets)),
                    "is_judged": each in JUDGED,
                    "is_in_range": each.is_met(middle),
                }
                for each in (*JUDGED, *SHOWN)
            },
            "impact": {
                "parents": self.impact.parents,
                "exponent": self.impact.exponent(),
                f"kept_after_{AFTERWARDS_S}_s": self.impact.kept(),
            },
            "markets": [
                {"seed": seed, "security": security, **facts}
                for (seed, security), facts in self.facts.items()
            ],
        }


def measure(
    settings: BacktestSettings, seeds: int, progress: Callable[[str], None] = lambda line: None
) -> MeasuredMarkets:
    """Play `seeds` markets, one after another, from the seed of the settings on.

    ValueError for settings that describe no market, for no seed, and for a market that is over
    before its warm-up is.
    """
    if seeds < 1:
        raise ValueError("the facts need at least one seed")
    if settings.seconds <= WARM_UP_S:
        raise ValueError(f"the first {WARM_UP_S:g} seconds are left out: play more")
    measured = MeasuredMarkets(settings)
    for seed in range(settings.seed, settings.seed + seeds):
        observer = StylisedFacts()
        plan = plan_of(replace(settings, seed=seed))
        run = run_market(plan, [observer])
        for security, facts in observer.facts(plan.end_us).items():
            measured.facts[seed, security] = facts
            measured.impact.merge(observer.impact[security].sums)
        progress(f"seed {seed}: {run.counts['commands']:,} commands, log {run.log_hash[:16]}")
    return measured
