"""The rules of a competition, as `competition.toml` has them: typed, complete and checked."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from venue_launcher.errors import CommandError
from venue_protocol.identifiers import is_client_id, is_security_id
from venue_protocol.money import MoneyError, parse_e4

MOST_ROUNDS = 1_000
MOST_PLAYERS = 1_000
LONGEST_ROUND_S = 30 * 24 * 3600

MarkRule = Literal["last_minute", "closing_auction", "median_of_clients"]
"""How shares are valued (`venue_competition/marks.py` and docs/competitions.md)."""


class RulesError(CommandError):
    """The file is not a competition; the message names the file, the field and the fault."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: a field that is not known is an error, so that no rule is lost to a
    misspelt name.
    """


class SecurityRule(_Record, frozen=True, kw_only=True):
    """One security of the competition; prices in dollars."""

    security: str
    tick: Decimal = Decimal("0.01")
    reference_price: Decimal = Decimal(100)
    lot: int = 1
    band_percent: int = 50
    """Half width of the price band around the reference price."""
    volatility: Decimal = Decimal(1)
    """Of the default population's values, against the usual."""


class PlayerRule(_Record, frozen=True, kw_only=True):
    """One player: a strategy, a command of any language, or a remote one that has a key."""

    name: str
    """Its client id at the venue."""
    strategy: str | None = None
    """`package.module:Class`, `file.py:Class`, or the name of one of ours."""
    command: list[str] | None = None
    """Started as it is, without a shell, with the key in its environment; live only."""
    remote: bool = False
    """Its key is written to a file that the organiser hands over; live only."""
    parameters: dict[str, Any] = {}
    """Keyword arguments of the strategy."""
    securities: list[str] = []
    """Those that the strategy asks for; empty for all."""


class PopulationRule(_Record, frozen=True, kw_only=True):
    """The other traders of the market."""

    name: Literal["default", "examples", "none"] = "default"
    """`default`: twenty bots a security that make a realistic market; `examples`: the examples of
    strategies, which is quick."""
    rate: Decimal = Decimal(1)
    """How much quicker than usual the default population trades."""
    size: int = 12
    """Accounts of the examples."""


class PhaseRule(_Record, frozen=True, kw_only=True):
    """Auctions of a round, seconds; 0 for none. They are part of the round's length."""

    opening_auction_s: int = 0
    closing_auction_s: int = 0


class LimitRule(_Record, frozen=True, kw_only=True):
    """What a player may do; whoever breaks a limit is stopped for the rest of the round."""

    commands_per_second: int = 100
    """Within any second, places, amends and cancels together."""
    open_orders: int = 500
    position: int | None = None
    """Shares of one security; None for no limit."""
    loss: Decimal | None = None
    """Dollars below the equity at the start; None for no limit."""
    memory_mb: int = 512
    """Of a local player's process."""
    processor_seconds: int | None = None
    """Processor time of a local player's process in a round; None for the length of the round."""


class ScoringRule(_Record, frozen=True, kw_only=True):
    """How the equity of a player is measured."""

    mark: MarkRule = "last_minute"
    window_s: int = 60
    """How far back the trades of a mark go."""
    least_trades: int = 5
    least_clients: int = 4
    """With fewer trades or clients in the window, the mark before stays."""
    sample_s: int = 10
    """Seconds between two points of an equity curve."""
    confidence: Decimal = Decimal("0.95")
    resamples: int = 2_000


class Rules(_Record, frozen=True, kw_only=True):
    """A whole competition."""

    name: str
    seed: int = 1
    rounds: int = 1
    seconds: int = 600
    """Length of a round."""
    cash: Decimal = Decimal(10_000)
    """Dollars of each player at the start of each round."""
    shares: dict[str, int] = {}
    """Shares of each player at the start of each round, by security."""
    is_rotating: bool = msgspec.field(name="rotate_seats", default=True)
    securities: list[SecurityRule]
    population: PopulationRule = PopulationRule()
    phases: PhaseRule = PhaseRule()
    limits: LimitRule = LimitRule()
    scoring: ScoringRule = ScoringRule()
    players: list[PlayerRule]

    @property
    def cash_e4(self) -> int:
        """Ten-thousandths of a dollar."""
        return parse_e4(self.cash)

    def security_names(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(rule.security for rule in self.securities)

    def player_names(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(player.name for player in self.players)


def read(path: Path) -> Rules:
    """The rules in a file. RulesError says what is wrong, and where."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"{path} can't be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, source: str = "competition.toml") -> Rules:
    """The rules in a text; `source` names it in errors. Raises RulesError."""
    try:
        content = tomllib.loads(text, parse_float=Decimal)
        for parameters in _parameter_tables(content):
            parameters.update(_as_floats(parameters))
        rules = msgspec.convert(content, Rules)
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{source} is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise RulesError(f"{source}: {_in_words(str(error))}") from error
    fault = next(_faults(rules), None)
    if fault is not None:
        raise RulesError(f"{source}: {fault}")
    return rules


def _parameter_tables(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tables that go to strategies as they are."""
    players = content.get("players")
    for table in players if isinstance(players, list) else []:
        parameters = table.get("parameters") if isinstance(table, dict) else None
        if isinstance(parameters, dict):
            yield parameters


def _as_floats(value: Any) -> Any:
    """Numbers of a strategy are its own affair: it gets them as Python reads them."""
    if isinstance(value, dict):
        return {name: _as_floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_floats(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _in_words(message: str) -> str:
    """The decoder's message, with the place as the file writes it."""
    said, _, place = message.partition(" - at `$")
    return f"{place.rstrip('`').lstrip('.')}: {said}" if place else said


def _faults(rules: Rules) -> Iterator[str]:
    """What can't be, in words; an iterator, the first one found first."""
    yield from _numbers(rules)
    yield from _securities(rules)
    yield from _players(rules)


def _numbers(rules: Rules) -> Iterator[str]:
    scoring, limits = rules.scoring, rules.limits
    bounds: list[tuple[str, int | None, int, int]] = [
        ("rounds", rules.rounds, 1, MOST_ROUNDS),
        ("seconds", rules.seconds, 1, LONGEST_ROUND_S),
        ("population.size", rules.population.size, 0, 1_000),
        ("limits.commands_per_second", limits.commands_per_second, 1, 100_000),
        ("limits.open_orders", limits.open_orders, 1, 100_000),
        ("limits.position", limits.position, 1, 10**9),
        ("limits.memory_mb", limits.memory_mb, 64, 1_000_000),
        ("limits.processor_seconds", limits.processor_seconds, 1, LONGEST_ROUND_S),
        ("phases.opening_auction_s", rules.phases.opening_auction_s, 0, rules.seconds),
        ("phases.closing_auction_s", rules.phases.closing_auction_s, 0, rules.seconds),
        ("scoring.window_s", scoring.window_s, 1, LONGEST_ROUND_S),
        ("scoring.least_trades", scoring.least_trades, 1, 1_000),
        ("scoring.least_clients", scoring.least_clients, 2, 1_000),
        ("scoring.sample_s", scoring.sample_s, 1, LONGEST_ROUND_S),
        ("scoring.resamples", scoring.resamples, 100, 100_000),
    ]
    for name, value, low, high in bounds:
        if value is not None and not low <= value <= high:
            yield f"{name} is {value}, and must be from {low} to {high}"
    if not 0 < rules.population.rate <= 100:
        yield f"population.rate is {rules.population.rate}, and must be above 0 and at most 100"
    if not Decimal("0.5") <= scoring.confidence <= Decimal("0.999"):
        yield f"scoring.confidence is {scoring.confidence}, and must be from 0.5 to 0.999"
    if rules.phases.opening_auction_s + rules.phases.closing_auction_s >= rules.seconds:
        yield "the auctions of [phases] leave no time to trade"
    if scoring.mark == "closing_auction" and not rules.phases.closing_auction_s:
        yield 'scoring.mark is "closing_auction", and phases.closing_auction_s is 0'
    yield from _amounts(rules)


def _amounts(rules: Rules) -> Iterator[str]:
    """Of money: exact in ten-thousandths, and not negative."""
    amounts = [("cash", rules.cash)]
    amounts += [] if rules.limits.loss is None else [("limits.loss", rules.limits.loss)]
    for rule in rules.securities:
        amounts.append((f"tick of {rule.security}", rule.tick))
        amounts.append((f"reference_price of {rule.security}", rule.reference_price))
    for name, amount in amounts:
        try:
            amount_e4 = parse_e4(amount)
        except MoneyError as error:
            yield f"{name}: {error}"
        else:
            if amount_e4 < 0 or (amount_e4 == 0 and name != "cash"):
                yield f"{name} is {amount}, and must be above 0"


def _securities(rules: Rules) -> Iterator[str]:
    if not rules.securities:
        yield "there are no [[securities]]"
    names = rules.security_names()
    yield from _repeated("security", names)
    for rule in rules.securities:
        if not is_security_id(rule.security):
            yield f"security {rule.security!r} must be 1 to 16 capitals, digits, '.' or '-'"
        elif rule.lot < 1:
            yield f"lot of {rule.security} is {rule.lot}, and must be at least 1"
        elif not 0 < rule.volatility <= 100:
            yield f"volatility of {rule.security} must be above 0 and at most 100"
        elif not 1 <= rule.band_percent <= 100:
            yield f"band_percent of {rule.security} must be from 1 to 100"
        elif rule.reference_price % rule.tick:
            yield f"reference_price of {rule.security} is not a multiple of its tick {rule.tick}"
    for name, quantity in rules.shares.items():
        if name not in names:
            yield f"shares names {name}, which is not among the [[securities]]"
        elif quantity < 0:
            yield f"shares of {name} are {quantity}, and can't be below 0"


def _players(rules: Rules) -> Iterator[str]:
    if not rules.players:
        yield "there are no [[players]]"
    if len(rules.players) > MOST_PLAYERS:
        yield f"there are {len(rules.players)} players, and at most {MOST_PLAYERS} can play"
    # A folder of results is named after a player, and some file systems know no capitals.
    yield from _repeated("player", [player.name.lower() for player in rules.players])
    for player in rules.players:
        kinds = [player.strategy is not None, player.command is not None, player.remote]
        if not is_client_id(player.name):
            yield (
                f"player {player.name!r} must be 1 to 64 letters, digits, '_', '.' or '-', "
                "the first a letter or digit"
            )
        elif sum(kinds) != 1:
            yield f"player {player.name} must have one of strategy, command and remote"
        elif player.command is not None and not player.command:
            yield f"command of {player.name} is empty"
        elif player.parameters and player.strategy is None:
            yield f"parameters of {player.name} go to a strategy, and it has none"
        for name in player.securities:
            if name not in rules.security_names():
                yield f"player {player.name} asks for {name}, which is not among the [[securities]]"


def _repeated(kind: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{kind} {name} comes twice"
        seen.add(name)


_FILE_STRATEGY = re.compile(r"^(?P<file>.+\.py):(?P<cls>\w+)$")


def strategy_file(strategy: str) -> str | None:
    """The file of a `file.py:Class`, or None for a module or a name of ours."""
    match = _FILE_STRATEGY.match(strategy)
    return match["file"] if match else None


def strategy_beside(strategy: str, beside: Path) -> str:
    """The strategy, a file by its whole path: files are looked for in the folder `beside`."""
    prefix, _, trader = strategy.partition(":")
    if prefix == "prosperity":
        return f"{prefix}:{(beside / trader).resolve()}"
    file = strategy_file(strategy)
    if file is None:
        return strategy
    return f"{(beside / file).resolve()}:{strategy.rpartition(':')[2]}"
