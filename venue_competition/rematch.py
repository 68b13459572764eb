"""Rounds played again by their strategies: not only what follows from the orders, the orders too.

`verify` alone shows that the results follow from the archive. This shows that the archive is what
these strategies do under these rules, so nobody has sent an order of a player in its name.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from venue_competition import results_folder, rules
from venue_competition.course import COURSE_FILE
from venue_competition.outcome import round_folder
from venue_competition.simulated_rounds import play_round
from venue_competition.verification import difference
from venue_launcher.errors import CommandError
from venue_simulation.market_archive import ORDER_LOG, TRANSFERS

_COMPARED = (
    f"{results_folder.ARCHIVE_FOLDER}/{ORDER_LOG}",
    f"{results_folder.ARCHIVE_FOLDER}/{TRANSFERS}",
    COURSE_FILE,
)
"""What a round comes to; the archive's manifest names paths of the machine that played it."""


@dataclass(frozen=True)
class Rematch:
    """What was played again, and where it came out otherwise."""

    rounds: int
    live: int
    """Rounds of a live market: they depend on a clock, so they are not played again."""
    faults: list[str]
    """Sentences; each begins with the name of a file."""


def rematch(folder: Path, bots: Path, say: Callable[[str], None]) -> Rematch:
    """Play the simulated rounds of a results folder again with the strategies in `bots`.

    This runs the code in `bots`. CommandError if a strategy is not there, or can't be played.
    """
    ours = rules.read(folder / results_folder.RULES_FILE)
    numbers = results_folder.round_numbers(folder)
    simulated = [
        number for number in numbers if results_folder.course_of(folder, number).is_simulated
    ]
    if simulated:
        _require_files(ours, bots)
    faults: list[str] = []
    for number in simulated:
        say(f"round {number} once more …")
        with tempfile.TemporaryDirectory(prefix="rematch-") as place:
            play_round(ours, number, Path(place), bots)
            faults += _differences(folder, Path(place), number)
    return Rematch(len(simulated), len(numbers) - len(simulated), faults)


def _differences(folder: Path, again: Path, number: int) -> list[str]:
    names = [f"{round_folder(number)}/{name}" for name in _COMPARED]
    found = (
        difference(folder / name, name, (again / name).read_bytes(), "the strategies play")
        for name in names
    )
    return [fault for fault in found if fault is not None]


def _require_files(ours: rules.Rules, bots: Path) -> None:
    # The rules may be a stranger's: they name files of this folder, and none beside it.
    inside = bots.resolve()
    missing = sorted(
        file
        for file in set(_files(ours))
        if not ((path := (bots / file).resolve()).is_relative_to(inside) and path.is_file())
    )
    if missing:
        raise CommandError(f"{', '.join(missing)}: not in {bots}; --bots names the folder of these")


def _files(ours: rules.Rules) -> Sequence[str]:
    """Files of strategies, as the rules name them; shipped strategies have none."""
    found = []
    for player in ours.players:
        prefix, _, trader = (player.strategy or "").partition(":")
        file = trader if prefix == "prosperity" else rules.strategy_file(player.strategy or "")
        if file is not None:
            found.append(str(file))
    return found
