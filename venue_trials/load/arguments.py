"""The arguments that every load takes, and whether they make one."""

import argparse

from order_entry_gateway.domain.requests import MOST_COMMANDS
from venue_launcher.errors import CommandError
from venue_trials.load import search
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import CASES

MAX = "max"


def add_load_arguments(parser: argparse.ArgumentParser) -> None:
    """What every load takes."""
    parser.add_argument(
        "--mix", choices=list(MIXES), default="usual", help="what is sent (default usual)"
    )
    parser.add_argument(
        "--rate", default="1000", help="commands a second (default 1000), or max: search what holds"
    )
    parser.add_argument(
        "--size", type=int, default=100, help="commands in a list or frame (default 100)"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="counted seconds (default 30)")
    parser.add_argument(
        "--warm-up", type=float, default=5.0, metavar="S", help="seconds before them (default 5)"
    )
    parser.add_argument(
        "--case", choices=CASES, default=CASES[0], help=f"the way in (default {CASES[0]})"
    )


def check(arguments: argparse.Namespace) -> None:
    """Raises CommandError where the arguments make no load."""
    if arguments.rate != MAX and not _is_rate(arguments.rate):
        raise CommandError(
            f"--rate {arguments.rate} is neither a number from 0 to {search.MOST_RATE:,.0f} nor "
            f"{MAX}"
        )
    if (
        min(arguments.size, arguments.accounts, arguments.securities) < 1
        or arguments.size > MOST_COMMANDS
    ):
        raise CommandError(
            f"give accounts and securities from 1, and lists of 1 to {MOST_COMMANDS} commands"
        )
    if arguments.seconds <= 0 or arguments.warm_up < 0:
        raise CommandError("seconds are above zero, the warm-up not below")


def _is_rate(text: str) -> bool:
    try:
        return 0 < float(text) <= search.MOST_RATE
    except ValueError:
        return False
