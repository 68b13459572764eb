"""The processes of a live round: the players', each with its key, and the population's."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec

from trading_bots.population.default_population import PopulationBot
from venue_competition import rules
from venue_competition.live_accounts import CompetitionVenue
from venue_competition.player_process import CHECKOUT, PlayerProcess
from venue_competition.rules import PlayerRule, Rules

_POPULATION_MEMORY_MB = 4_096
_UNBOUNDED_S = 10_000_000
_BOTS = (sys.executable, "-m", "trading_bots", "--quiet", "--bots", "-")


class LivePlayers:
    """Starts, asks after and stops them. A context manager: nothing runs after its block."""

    def __init__(self, ours: Rules, beside: Path, venue: CompetitionVenue) -> None:
        self._rules = ours
        self._beside = beside
        self._addresses = {
            "VENUE_ORDER_ENTRY_URL": venue.gateway_url,
            "VENUE_MARKET_DATA_URL": venue.market_data_url,
        }
        self._processes: dict[str, PlayerProcess] = {}
        self._population: PlayerProcess | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="competition-")

    def __enter__(self) -> "LivePlayers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()
        self._scratch.cleanup()

    def start(self, number: int, seed: int, keys: Mapping[str, str]) -> None:
        """Start all local players of a round, in the order of `keys`."""
        players = {player.name: player for player in self._rules.players}
        for name, key in keys.items():
            if name in players and not players[name].remote:
                folder = Path(self._scratch.name) / f"{number:03d}" / name
                self._processes[name] = self._started(players[name], key, folder, seed)

    def start_population(
        self, bots: list[PopulationBot], keys: Mapping[str, str], number: int, seed: int
    ) -> None:
        """Start the other traders, all in one process; they have no limits."""
        settings = [
            {
                "client_id": bot.client_id,
                "api_key": keys[bot.client_id],
                "strategy": bot.strategy,
                "security": bot.security,
                "parameters": dict(bot.parameters),
                "seed": seed,
            }
            for bot in bots
        ]
        if settings:
            self._population = PlayerProcess(
                _BOTS,
                Path(self._scratch.name) / f"{number:03d}" / ".population",
                self._addresses | {"PYTHONPATH": str(CHECKOUT)},
                _POPULATION_MEMORY_MB,
                _UNBOUNDED_S,
                msgspec.json.encode(settings),
            )

    def ended(self) -> dict[str, str]:
        """Players whose process is gone, and how it went."""
        return {
            name: _how(code, process.last_words())
            for name, process in self._processes.items()
            if (code := process.exit_code()) is not None
        }

    def population_fault(self) -> str | None:
        """How the population's process ended, if it did: the market is not what it should be."""
        if self._population is None or (code := self._population.exit_code()) is None:
            return None
        return _how(code, self._population.last_words())

    def stop(self, name: str) -> None:
        """End one player's process, if it has one."""
        process = self._processes.pop(name, None)
        if process is not None:
            process.stop()

    def stop_all(self) -> None:
        """End all processes of the round."""
        for name in list(self._processes):
            self.stop(name)
        if self._population is not None:
            self._population.stop()
            self._population = None

    def _started(self, player: PlayerRule, key: str, folder: Path, seed: int) -> PlayerProcess:
        limits = self._rules.limits
        processor_s = limits.processor_seconds or self._rules.seconds
        securities = player.securities or list(self._rules.security_names())
        if player.command is not None:
            given = b""
            command = [self._place(part) for part in player.command]
            variables = self._addresses | {
                "VENUE_CLIENT_ID": player.name,
                "VENUE_API_KEY": key,
                "VENUE_SECURITIES": ",".join(securities),
                "VENUE_SEED": str(seed),
            }
        else:
            command = list(_BOTS)
            variables = self._addresses | {"PYTHONPATH": str(CHECKOUT)}
            settings = {
                "client_id": player.name,
                "api_key": key,
                "strategy": rules.strategy_beside(player.strategy or "", self._beside),
                "securities": securities,
                "parameters": player.parameters,
                "seed": seed,
            }
            given = msgspec.json.encode([settings])
        return PlayerProcess(command, folder, variables, limits.memory_mb, processor_s, given)

    def _place(self, part: str) -> str:
        """A file that lies beside the rules by its whole path: the player runs elsewhere."""
        path = self._beside / part
        return str(path.resolve()) if path.is_file() else part


def _how(code: int, words: str) -> str:
    ended = f"its process ended with code {code}" if code >= 0 else f"ended by signal {-code}"
    return f"{ended}: {words}" if words else ended
