"""What `./venue compete` and `./venue verify` say at the terminal."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from trading_bots.dice import dice
from venue_competition import results_folder
from venue_competition.html_report import known_in_words
from venue_competition.ladder import Climbed, climb
from venue_competition.live_rounds import play_live
from venue_competition.outcome import Results, stopped_players
from venue_competition.rematch import Rematch, rematch
from venue_competition.results import REPORT_FILE
from venue_competition.simulated_rounds import play
from venue_competition.statistics import confidences
from venue_competition.verification import verify
from venue_launcher import running_venue, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.terminal import report, table
from venue_protocol.money import format_e4, format_for_people

_COLUMNS = ["#", "player", "profit", "mean", "low", "high", "first", "drawdown", "fills"]
_MOST_FAULTS = 50
_RESAMPLES = 2_000


def compete(arguments: argparse.Namespace) -> int:
    """Play a competition, or a new bot against a ladder; the exit code."""
    if arguments.ladder is not None:
        return climb_ladder(arguments.ladder, arguments.what, arguments.seeds)
    play_it = compete_simulated if arguments.simulated else compete_live
    return play_it(Path(arguments.what), arguments.output)


def compete_simulated(source: Path, output: Path | None) -> int:
    """Play a competition in simulated time; the exit code."""
    folder = output or free_folder(source)
    print("\n".join(summary(play(source, folder, report), folder)))
    return 0


def compete_live(source: Path, output: Path | None) -> int:
    """Play a competition on the venue that runs; the exit code."""
    folder = output or free_folder(source)
    venue = running_venue.attach(state_folder.choose())
    print("\n".join(summary(play_live(source, folder, venue, report), folder)))
    return 0


def verify_folder(folder: Path, bots: Path | None = None) -> int:
    """Compute all of a results folder again; 0 if every byte is as it must be, else 1.

    With `bots`, a folder of strategies, also play the simulated rounds again.
    """
    verdict = verify(folder)
    faults = list(verdict.faults)
    # Rules that were changed could name any code: none is run for a folder with a fault.
    again = rematch(folder, bots, report) if bots is not None and not faults else None
    faults += again.faults if again is not None else []
    for fault in faults[:_MOST_FAULTS]:
        print(fault)
    if len(faults) > _MOST_FAULTS:
        print(f"… and {len(faults) - _MOST_FAULTS} more")
    if faults:
        print(f"{folder} is NOT as it was: {len(faults)} faults")
        return 1
    if again is not None:
        print(_said_of(again))
    print(
        f"{folder} is verified: {verdict.files} files and the results of {verdict.rounds} rounds "
        f"follow from the archives\nroot hash {results_folder.root_of(folder)}"
    )
    return 0


def _said_of(again: Rematch) -> str:
    lines = []
    if again.rounds:
        lines = [f"{again.rounds} rounds played again: the strategies send the same orders"]
    if again.live:
        lines.append(
            f"{again.live} rounds of a live market can't be played again: its clock is gone"
        )
    return "\n".join(lines)


def climb_ladder(folder: Path, newcomer: str, seeds: int) -> int:
    """Play a new bot against the stored ones; the exit code."""
    if seeds < 1:
        raise CommandError("--seeds is at least 1")
    print("\n".join(climbed_lines(climb(folder, newcomer, seeds, report))))
    return 0


def climbed_lines(climbed: Climbed) -> Iterator[str]:
    """What came of the new bot: each pairing, then the ladder."""
    rows = []
    for pairing in climbed.pairings:
        differences_e4 = pairing.differences_e4()
        (found,) = confidences(
            {climbed.bot: differences_e4}, dice(1, pairing.opponent), _RESAMPLES, 0.95
        )
        known = pairing.rounds_until_known
        rows.append(
            {
                "against": pairing.opponent,
                "won": f"{sum(each > 0 for each in differences_e4)} of {len(differences_e4)}",
                "ahead by": format_e4(found.mean_e4),
                "low": format_e4(found.low_e4),
                "high": format_e4(found.high_e4),
                "known after": "not known" if known is None else f"{known:,} pairs",
            }
        )
    yield table(rows, ["against", "won", "ahead by", "low", "high", "known after"])
    yield ""
    ratings = [
        {
            "bot": each.bot,
            "elo": f"{each.elo:.0f}",
            "low": f"{each.low:.0f}",
            "high": f"{each.high:.0f}",
        }
        for each in climbed.ratings
    ]
    yield table(ratings, ["bot", "elo", "low", "high"])


def free_folder(source: Path) -> Path:
    """A folder for results in the current one, named after the rules, that is not there yet."""
    numbers = range(1, 10_000)
    names = (Path(f"{source.stem}-results-{number}") for number in numbers)
    found = next((name for name in names if not name.exists()), None)
    if found is None:
        raise CommandError("there are too many results here: choose a folder with --output")
    return found


def summary(results: Results, folder: Path) -> Iterator[str]:
    """Ranking, luck, stopped players, and where the rest is."""
    yield results.rules.name
    yield table([_line(results, place) for place in range(len(results.ranking))], _COLUMNS)
    yield known_in_words(results)
    for player, stops in stopped_players(results).items():
        for stop in stops:
            yield f"{player} was stopped in round {stop['round']}: {_one_line(stop['says'])}"
    findings = sum(len(each.findings) for each in results.rounds)
    if findings:
        yield f"fair play: {findings} findings to look at"
    yield f"report: {folder / REPORT_FILE}"
    yield f"root hash: {results_folder.root_of(folder)}"


def _line(results: Results, place: int) -> dict[str, object]:
    ranked = results.ranking[place]
    found = results.confidences[ranked.player]
    return {
        "#": ranked.rank,
        "player": ranked.player,
        "profit": format_for_people(ranked.profit_e4),
        "mean": format_e4(found.mean_e4),
        "low": format_e4(found.low_e4),
        "high": format_e4(found.high_e4),
        "first": f"{found.first_percent} %",
        "drawdown": format_e4(ranked.max_drawdown_e4),
        "fills": ranked.fills,
    }


def _one_line(text: str) -> str:
    """A text of a player's own, without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
