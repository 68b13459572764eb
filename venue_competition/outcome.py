"""The outcome of a competition, as records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from venue_competition import statistics
from venue_competition.course import Course
from venue_competition.fair_play import Finding
from venue_competition.ranking import Ranked
from venue_competition.round_history import RoundHistory
from venue_competition.rules import Rules
from venue_competition.scoring import RoundScores


@dataclass(frozen=True)
class ScoredRound:
    """One round with all that was counted in it."""

    course: Course
    history: RoundHistory
    scores: RoundScores
    findings: Sequence[Finding]

    @property
    def trades(self) -> int:
        """Trades of the round."""
        return sum(is_of(self.course, trade.time_us) for trade in self.history.trades)


@dataclass(frozen=True)
class Results:
    """A competition's outcome."""

    rules: Rules
    rounds: Sequence[ScoredRound]
    ranking: Sequence[Ranked]
    confidences: dict[str, statistics.Confidence]
    rounds_until_known: int | None


def round_folder(number: int) -> str:
    """The folder of a round, inside the results."""
    return f"rounds/{number:03d}"


def is_of(course: Course, time_us: int) -> bool:
    """Whether something belongs to the round: its preparation is part of it."""
    return course.since_us <= time_us <= course.end_us


def stopped_players(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Who was stopped, in which rounds, and why."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in results.rounds:
        for stop in each.course.stopped:
            said = {"round": each.course.number, "reason": stop.reason, "says": stop.says}
            found.setdefault(stop.player, []).append(said)
    return found
