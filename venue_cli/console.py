"""The command line: one module of `commands` each, errors in one sentence, no traceback for what is
not our fault.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from venue_launcher import signals
from venue_launcher.errors import VenueError
from venue_launcher.terminal import paint, report

COMMANDS = {
    "up": "start the venue",
    "down": "stop the venue",
    "status": "say what runs and where",
    "demo": "start the venue and let bots trade on it",
    "standings": "rank the clients by what they own now",
    "report": "say who gained how much from whom by trading",
    "test": "check the code and run the tests",
    "client": "create, list, suspend and change clients",
    "security": "list securities and add new ones",
    "fees": "show and set what trading costs, by security and tier",
    "deposit": "give a client cash or shares",
    "proposals": "bust or correct a trade, fine a client, and consent to it as a second one",
    "settlement": "each trade at once, or netted in cycles; what is open",
    "loans": "lend shares for short sales: rules, pool, loans, recalls, the default fund",
    "session": "open, close, halt and resume by hand, or by a schedule",
    "action": "command a split, a dividend, a new symbol or a delisting",
    "cancel": "cancel the open orders of a client, of a security, or all",
    "reset": "remove all that this venue stored",
    "replay": "feed recorded orders through the real door, or retell the settlement reports",
    "audit": "prove that the databases hold exactly what the order log says",
    "explain": "list every movement of a client's cash and shares",
    "statement": "say what a client had, what moved and why, and what it has",
    "ledger": "show the double entry: a trial balance, an account, a journal",
    "export": "write the ledger for beancount or hledger",
    "bench": "measure how fast the venue is, the whole way and each stage alone",
    "load": "send orders to the venue that runs, at a rate that does not wait for it",
    "backtest": "let bots trade in simulated time on the venue's own desk, engine and ledger",
    "simulate": "play thousands of schedules of faults on the whole venue in one process",
    "compete": "play a competition from one file, simulated or on the venue that runs",
    "team": "add, list, freeze and remove teams",
    "round": "start and stop rounds, and bring all teams to the start",
    "verify": "compute the results of a competition again from its archives",
    "chaos": "trade while everything is killed, and prove that nothing was lost",
    "compose-env": "write the secrets that compose.yaml needs",
    "provision": "prepare the databases for services that others run (used by compose.yaml)",
    "enroll": "make accounts for bots (used by compose.yaml)",
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and where the help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"venue: {message}; see {self.prog} --help\n")


def parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser; only the chosen command's module is imported and asked for its arguments."""
    top = Parser(
        prog="./venue", description="A stock exchange on this machine.", allow_abbrev=False
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, says in COMMANDS.items():
        described = commands.add_parser(
            name, help=says, description=says[0].upper() + says[1:] + ".", allow_abbrev=False
        )
        if name == chosen:
            module = importlib.import_module(f"venue_cli.commands.{name.replace('-', '_')}")
            module.add_arguments(described)
            described.set_defaults(run=module.run)
    return top


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        signals.install()
        chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
        known, unknown = parser(chosen).parse_known_args(arguments)
        if unknown and chosen != "test":
            parser(chosen).error(f"unknown argument {unknown[0]}")
        known.extra = unknown
        return int(known.run(known))
    except KeyboardInterrupt:
        report("stopped")
        return 130
    except BrokenPipeError:
        # Whoever read our output, `head` for one, has enough. What Python would still flush goes
        # nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except VenueError as error:
        report(paint(str(error), "red", sys.stderr))
        return 1
