"""Teams of a venue, in bulk, and rounds by hand: for organisers who run no competition file."""

import csv
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from venue_competition.live_accounts import CompetitionVenue, LiveAccounts
from venue_competition.market_population import PREFIX
from venue_competition.player_files import table
from venue_launcher.admin_client import Administration
from venue_launcher.errors import CommandError
from venue_launcher.session_client import SessionClient
from venue_launcher.state_folder import write_private
from venue_protocol.identifiers import is_client_id

START_CASH = Decimal(10_000)
_TEAM_ROLE = "trader"
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.2
_S_AN_HOUR = 3600


def names_in(path: Path) -> list[str]:
    """Team names of a CSV file: the column `team`, or the first one of a file without a heading.

    CommandError names a line that is no name, or comes twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row and row[0].strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} can't be read: {error}") from error
    column = 0
    if rows and "team" in (cells := [cell.strip().lower() for cell in rows[0]]):
        column, rows = cells.index("team"), rows[1:]
    names = [row[column].strip() if column < len(row) else "" for row in rows]
    require_names(names, str(path))
    return names


def require_names(names: Sequence[str], source: str) -> None:
    """CommandError unless these are names of clients, each once, and none of the population's."""
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not is_client_id(name) or name.startswith(PREFIX):
            raise CommandError(f"{source}: {name!r} (number {number}) can't be a team's name")
        if name in seen:
            raise CommandError(f"{source}: {name} comes twice")
        seen.add(name)
    if not names:
        raise CommandError(f"{source}: there is no team")


class Teams:
    """The teams of one venue: every trader that is not of a population."""

    def __init__(self, venue: CompetitionVenue) -> None:
        self._administration = Administration(venue)
        self._accounts = LiveAccounts(venue)
        self._session = SessionClient(venue)

    def all(self) -> list[dict[str, Any]]:
        """The teams with their cash, as the clearinghouse words clients."""
        return [
            client
            for client in self._administration.clients()
            if client["role"] == _TEAM_ROLE and not str(client["client_id"]).startswith(PREFIX)
        ]

    def add(self, names: Iterable[str]) -> dict[str, str]:
        """Make teams that are not there yet; their keys, shown this once.

        A team that is there keeps its keys and is left out: so a list can be given again.
        """
        known = {str(client["client_id"]) for client in self._administration.clients()}
        return {
            name: self._administration.create_client(name, _TEAM_ROLE)
            for name in names
            if name not in known
        }

    def open_code(self, label: str, places: int, hours: float) -> dict[str, Any]:
        """A join code with which so many teams make themselves; its text is shown this once."""
        return self._administration.open_join_code(label, places, round(hours * _S_AN_HOUR))

    def close_code(self, label: str) -> bool:
        """Take nobody more with it; whether it was open."""
        return self._administration.close_join_code(label)

    def codes(self) -> list[dict[str, Any]]:
        """All join codes without their texts."""
        return self._administration.join_codes()

    def freeze(self, name: str, reason: str | None) -> None:
        """Cancel its orders and refuse new ones; the reason is for the record."""
        self._require(name)
        self._accounts.freeze(name, reason or "frozen by the organiser")

    def release(self, name: str) -> None:
        """Let it trade again."""
        self._require(name)
        self._accounts.release(name)

    def remove(self, name: str) -> None:
        """Freeze it and revoke its keys; its history stays."""
        self.freeze(name, "removed by the organiser")
        self._administration.revoke_keys(name)

    def start_round(self) -> None:
        """Trading begins."""
        self._session.begin("continuous", reason="round")

    def stop_round(self) -> None:
        """Trading ends: nothing is accepted, and all open orders are canceled."""
        self._session.begin("closed", reason="end of round")
        self._session.cancel_orders({"all": True})

    def next_round(
        self, cash: Decimal, shares: Mapping[str, int], say: Callable[[str], None]
    ) -> int:
        """Stop, bring every team to these means by journals, start; how many teams.

        CommandError if orders are still open after a minute.
        """
        self.stop_round()
        names = [str(team["client_id"]) for team in self.all()]
        self._wait_for_rest(names)
        for name in names:
            say(f"{name} to the start …")
            self._accounts.reset(name, cash, shares)
        self.start_round()
        return len(names)

    def _wait_for_rest(self, names: Sequence[str]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            standings = self._accounts.standings()
            held = [
                name for name in names if Decimal(str(standings.get(name, {}).get("held", "0")))
            ]
            if not held:
                return
            if time.monotonic() > deadline:
                raise CommandError(f"orders of {', '.join(held[:5])} are still open")
            time.sleep(_LOOK_EVERY_S)

    def _require(self, name: str) -> None:
        if name not in {str(team["client_id"]) for team in self.all()}:
            raise CommandError(f"there is no team {name}: see ./venue team list")


def write_keys(path: Path, keys: Mapping[str, str]) -> None:
    """Keys as CSV, for the organiser's eyes alone (mode 0600). CommandError if it is there."""
    if path.exists():
        raise CommandError(f"{path} is there already: choose another --keys")
    write_private(path, table("team api_key", list(keys.items())).decode())
