"""All that follows from the rules and the archives: every file of the results folder but those two.

`derive` is a pure function: the runner writes what it returns, and `./venue verify` compares.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from market_data_feed.domain.execution_report import ExecutionReport
from trading_bots.dice import dice
from venue_competition import fair_play, player_files, statistics
from venue_competition.course import Course, pretty
from venue_competition.html_report import page
from venue_competition.outcome import Results, ScoredRound, is_of, round_folder, stopped_players
from venue_competition.ranking import rank
from venue_competition.round_history import RoundHistory, record_of
from venue_competition.rules import Rules
from venue_competition.scoring import score_round
from venue_protocol.money import format_e4

RESULTS_FILE = "results.json"
RANKING_FILE = "ranking.csv"
FAIR_PLAY_FILE = "fair_play.json"
REPORT_FILE = "report.html"
SCHEMA = 1
_RANKING_COLUMNS = (
    "rank player profit mean_profit low high first_percent max_drawdown profit_per_drawdown "
    "mean_inventory turnover fills rounds_won stopped"
)


def score(rules: Rules, course: Course, history: RoundHistory) -> ScoredRound:
    """One round, counted."""
    record = record_of(history, course)
    scores = score_round(record, rules)
    return ScoredRound(course, history, scores, fair_play.report(record, rules, scores))


def conclude(rules: Rules, rounds: Sequence[ScoredRound]) -> Results:
    """The ranking over at least one round, and how much of it may be luck."""
    profits_e4 = {
        name: [each.scores.scores[name].profit_e4 for each in rounds]
        for name in rules.player_names()
    }
    confidence = float(rules.scoring.confidence)
    found = statistics.confidences(
        profits_e4,
        dice(rules.seed, "bootstrap"),
        rules.scoring.resamples,
        confidence,
    )
    return Results(
        rules,
        rounds,
        rank([each.scores.scores for each in rounds]),
        {each.player: each for each in found},
        statistics.rounds_until_known(profits_e4, confidence),
    )


def derive(results: Results) -> dict[str, bytes]:
    """Every derived file: its path inside the folder, and its bytes."""
    files = {
        RESULTS_FILE: pretty(_content(results)),
        RANKING_FILE: _ranking_csv(results),
        FAIR_PLAY_FILE: pretty(
            [{"round": each.course.number, "findings": each.findings} for each in results.rounds]
        ),
        REPORT_FILE: page(results).encode(),
    }
    for each in results.rounds:
        files.update(_player_files(each, results.rules))
    return files


def _player_files(each: ScoredRound, rules: Rules) -> dict[str, bytes]:
    files = {}
    for name in rules.player_names():
        folder = f"{round_folder(each.course.number)}/players/{name}"
        told = each.history.reports.get(name, ())
        reports = [report for report in told if is_of(each.course, report.time_us)]
        files[f"{folder}/orders.csv"] = player_files.orders(_to_their_ends(reports, told))
        files[f"{folder}/fills.csv"] = player_files.fills(reports)
        files[f"{folder}/settlements.csv"] = player_files.settlements(
            [
                report
                for report in each.history.settlements.get(name, ())
                if is_of(each.course, report.time_us)
            ]
        )
        files[f"{folder}/equity.csv"] = player_files.equity(each.scores.curves[name])
    return files


def _to_their_ends(
    reports: Sequence[ExecutionReport], told: Sequence[ExecutionReport]
) -> list[ExecutionReport]:
    """Reports of the orders of a round, also those after it: the end of the round cancels them."""
    begun = {report.order_id for report in reports}
    return [report for report in told if report.order_id in begun]


def _content(results: Results) -> dict[str, Any]:
    stopped = stopped_players(results)
    return {
        "schema": SCHEMA,
        "name": results.rules.name,
        "mark": results.rules.scoring.mark,
        "confidence": str(results.rules.scoring.confidence),
        "rounds_until_known": results.rounds_until_known,
        "ranking": [
            money_as_text(msgspec.to_builtins(each))
            | _interval(results.confidences[each.player])
            | {"stopped": stopped.get(each.player, [])}
            for each in results.ranking
        ],
        "rounds": [_round_content(each) for each in results.rounds],
    }


def _round_content(each: ScoredRound) -> dict[str, Any]:
    return {
        "round": each.course.number,
        "seed": each.course.seed,
        "seats": each.course.seats,
        "marks": {name: format_e4(mark) for name, mark in each.scores.marks_e4.items()},
        "trades": each.trades,
        "scores": [
            money_as_text(msgspec.to_builtins(score)) for score in each.scores.scores.values()
        ],
    }


def _interval(confidence: statistics.Confidence) -> dict[str, str]:
    return {
        "mean_profit": format_e4(confidence.mean_e4),
        "low": format_e4(confidence.low_e4),
        "high": format_e4(confidence.high_e4),
        "first_percent": confidence.first_percent,
    }


def money_as_text(record: dict[str, Any]) -> dict[str, Any]:
    """Amounts as decimal strings, under their names without `_e4`."""
    return {
        name.removesuffix("_e4"): format_e4(value) if name.endswith("_e4") else value
        for name, value in record.items()
    }


def _ranking_csv(results: Results) -> bytes:
    stopped = stopped_players(results)
    rows: list[list[player_files.Cell]] = []
    for each in results.ranking:
        found = results.confidences[each.player]
        amounts = [each.profit_e4, found.mean_e4, found.low_e4, found.high_e4]
        reasons = " ".join(
            f"{stop['round']}:{stop['reason']}" for stop in stopped.get(each.player, [])
        )
        rows.append(
            [
                each.rank,
                each.player,
                *map(format_e4, amounts),
                found.first_percent,
                format_e4(each.max_drawdown_e4),
                each.profit_per_drawdown,
                format_e4(each.mean_inventory_e4),
                format_e4(each.turnover_e4),
                each.fills,
                each.rounds_won,
                reasons,
            ]
        )
    return player_files.table(_RANKING_COLUMNS, rows)
