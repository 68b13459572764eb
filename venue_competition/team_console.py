"""What `./venue team` and `./venue round` say at the terminal."""

import argparse
from decimal import Decimal
from pathlib import Path

from venue_competition import rules
from venue_competition.teams import START_CASH, Teams, names_in, require_names, write_keys
from venue_launcher import running_venue, state_folder, terminal
from venue_launcher.errors import CommandError
from venue_launcher.terminal import report


def team(arguments: argparse.Namespace) -> int:
    """Do what the command says; the exit code."""
    teams = Teams(running_venue.attach(state_folder.choose()))
    if arguments.action == "list":
        columns = ["team", "balance", "held", "frozen"]
        print(terminal.table([_line(each) for each in teams.all()], columns))
    elif arguments.action == "add":
        _add(teams, arguments.names, arguments.csv, arguments.keys)
    elif arguments.action in ("code", "codes", "close"):
        _join_codes(teams, arguments)
    elif arguments.action == "remove":
        teams.remove(arguments.name)
        print(f"{arguments.name} is frozen and has no key any more; its history stays")
    elif arguments.action == "freeze":
        teams.freeze(arguments.name, arguments.reason)
        print(f"{arguments.name} is frozen: its orders are canceled, new ones are refused")
    else:
        teams.release(arguments.name)
        print(f"{arguments.name} may trade again")
    return 0


def round_(arguments: argparse.Namespace) -> int:
    """start, stop or next; the exit code."""
    teams = Teams(running_venue.attach(state_folder.choose()))
    if arguments.action == "start":
        teams.start_round()
        print("the round has started")
    elif arguments.action == "stop":
        teams.stop_round()
        print("the round is over: nothing trades, and all open orders are canceled")
    else:
        cash, shares = START_CASH, dict[str, int]()
        if arguments.rules is not None:
            ours = rules.read(arguments.rules)
            cash, shares = Decimal(ours.cash), ours.shares
        count = teams.next_round(cash, shares, report)
        print(f"the next round has started: {count} teams stand at the start")
    return 0


def _add(teams: Teams, names: list[str], file: Path | None, keys_file: Path | None) -> None:
    wanted = [*names, *(names_in(file) if file is not None else [])]
    require_names(wanted, "the command")
    if keys_file is not None and keys_file.exists():
        raise CommandError(f"{keys_file} is there already: choose another --keys")
    keys = teams.add(wanted)
    if keys_file is None:
        print("\n".join(f"{name},{key}" for name, key in keys.items()))
        return
    write_keys(keys_file, keys)
    print(f"{len(keys)} new teams; their keys are in {keys_file}")


def _join_codes(teams: Teams, arguments: argparse.Namespace) -> None:
    if arguments.action == "code":
        opened = teams.open_code(arguments.label, arguments.places, arguments.hours)
        print(f"{opened['code']}\n{opened['places']} places until {opened['closes']}")
    elif arguments.action == "close":
        was_open = teams.close_code(arguments.label)
        print(f"{arguments.label} {'is closed' if was_open else 'was closed already'}")
    else:
        print(terminal.table(teams.codes(), ["label", "places", "used", "closes"]))


def _line(client: dict[str, object]) -> dict[str, object]:
    frozen = client.get("suspension_reason") or "yes" if client.get("suspended_us") else "-"
    return client | {"team": client["client_id"], "frozen": frozen}
