"""The ladder: a new bot against stored ones, two at a time, seats swapped under each seed.

A ladder is a folder of Python files, one bot each: its last public class. `ladder.toml` in it may
say the market, in the words of competition.toml without players. `matches.json` remembers what was
played, so that ratings rest on all of it.
"""

import ast
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from trading_bots.dice import dice
from venue_competition import rules, statistics
from venue_competition.course import Course, pretty, seats
from venue_competition.round_archive import read_history
from venue_competition.round_history import record_of
from venue_competition.rules import Rules
from venue_competition.scoring import score_round
from venue_competition.simulated_rounds import plan_of
from venue_competition.statistics import Match
from venue_launcher.errors import CommandError
from venue_simulation.market_run import run_market

MATCHES_FILE = "matches.json"
RULES_FILE = "ladder.toml"
_RESAMPLES = 200
"""Each fits the ratings of all bots again."""
_MARKET = """
name = "ladder"
seconds = 300
[shares]
ACME = 20
[[securities]]
security = "ACME"
reference_price = "100.00"
"""


@dataclass(frozen=True)
class Pairing:
    """The new bot against one stored one; a profit for each seed, both seats together."""

    opponent: str
    own_e4: Sequence[int]
    other_e4: Sequence[int]
    rounds_until_known: int | None
    """In pairs of rounds; None where these do not say."""

    def differences_e4(self) -> list[int]:
        """By seed: what the new bot earned more."""
        return [own - other for own, other in zip(self.own_e4, self.other_e4, strict=True)]


@dataclass(frozen=True)
class Rating:
    """One bot on the ladder."""

    bot: str
    elo: float
    low: float
    high: float


@dataclass(frozen=True)
class Climbed:
    """What came of a new bot."""

    bot: str
    pairings: list[Pairing]
    ratings: list[Rating]
    """All bots, best first."""


def stored_bots(folder: Path) -> dict[str, str]:
    """Strategy by name of the bots in a ladder's folder. CommandError if there is none."""
    found = {
        path.stem: f"{path.resolve()}:{_class_of(path)}" for path in sorted(folder.glob("*.py"))
    }
    if not found:
        raise CommandError(f"{folder} has no bots: put files such as maker.py into it")
    return found


def climb(folder: Path, newcomer: str, seeds: int, say: Callable[[str], None]) -> Climbed:
    """Play the new bot (`file.py`, `file.py:Class` or another name of a strategy) against all."""
    bots = stored_bots(folder)
    name, strategy = _newcomer(newcomer)
    bots.pop(name, None)
    pairings = []
    for place, (opponent, other) in enumerate(bots.items(), 1):
        say(f"{name} against {opponent}, {place} of {len(bots)} …")
        ours = _rules(folder, {name: strategy, opponent: other})
        pairings.append(_pairing(ours, name, opponent, seeds))
    if not pairings:
        raise CommandError(f"{folder} has nobody but {name}")
    return Climbed(name, pairings, _ratings(folder, name, pairings))


def _newcomer(text: str) -> tuple[str, str]:
    """Name and strategy; a file's name without its class is enough."""
    if text.endswith(".py"):
        path = Path(text)
        return path.stem, f"{path.resolve()}:{_class_of(path)}"
    file = rules.strategy_file(text)
    if file is not None:
        return Path(file).stem, text
    return text.rpartition(":")[2].lower() or text, text


def _class_of(path: Path) -> str:
    """The last public class of a file."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise CommandError(f"{path} can't be read: {error}") from error
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    public = [name for name in names if not name.startswith("_")]
    if not public:
        raise CommandError(f"{path} has no class")
    return public[-1]


def _rules(folder: Path, players: Mapping[str, str]) -> Rules:
    path = folder / RULES_FILE
    market = path.read_text(encoding="utf-8") if path.exists() else _MARKET
    lines = [
        f"[[players]]\nname = {msgspec.json.encode(name).decode()}\n"
        f"strategy = {msgspec.json.encode(strategy).decode()}\n"
        for name, strategy in players.items()
    ]
    return rules.parse("\n".join([market, *lines]), str(path))


def _pairing(ours: Rules, name: str, opponent: str, seeds: int) -> Pairing:
    own, other = [], []
    for seed in range(1, seeds + 1):
        profits = [_play(ours, seed, number) for number in (1, 2)]
        own.append(sum(each[name] for each in profits))
        other.append(sum(each[opponent] for each in profits))
    known = statistics.rounds_until_known({name: own, opponent: other})
    return Pairing(opponent, own, other, known)


def _play(ours: Rules, seed: int, number: int) -> dict[str, int]:
    """Profits of one round; `number` 1 and 2 have the seats the one and the other way."""
    plan = replace(plan_of(ours, number, Path()), seed=seed)
    course = Course(
        number=number,
        seed=seed,
        is_simulated=True,
        start_us=plan.start_us,
        end_us=plan.end_us,
        seats=seats(ours.player_names(), number, True),
    )
    with tempfile.TemporaryDirectory(prefix="ladder-") as scratch:
        archive = Path(scratch) / "archive"
        try:
            run_market(plan, archive=archive)
        except ValueError as error:
            raise CommandError(str(error)) from error
        history = read_history(archive, ours.player_names())
    scores = score_round(record_of(history, course), ours).scores
    return {player: score.profit_e4 for player, score in scores.items()}


def _ratings(folder: Path, name: str, pairings: Sequence[Pairing]) -> list[Rating]:
    """Ratings from all matches that the folder remembers, the new ones instead of earlier ones."""
    path = folder / MATCHES_FILE
    try:
        known = msgspec.json.decode(path.read_bytes(), type=list[Match]) if path.exists() else []
    except msgspec.MsgspecError as error:
        raise CommandError(f"{path} is damaged: {error}") from error
    opponents = {pairing.opponent for pairing in pairings}
    known = [each for each in known if not _is_again(each, name, opponents)]
    known += [
        Match(name, pairing.opponent, 1 + (difference > 0) - (difference < 0))
        for pairing in pairings
        for difference in pairing.differences_e4()
    ]
    path.write_bytes(pretty(known))
    players = sorted({player for match in known for player in (match.one, match.other)})
    ratings = statistics.elo_ratings(players, known)
    intervals = statistics.elo_intervals(
        players, [[match] for match in known], dice(1, "ladder"), _RESAMPLES, 0.95
    )
    found = [Rating(player, ratings[player], *intervals[player]) for player in players]
    return sorted(found, key=lambda rating: (-rating.elo, rating.bot))


def _is_again(match: Match, name: str, opponents: set[str]) -> bool:
    """Whether a match is played anew now."""
    return name in (match.one, match.other) and bool({match.one, match.other} & opponents)
