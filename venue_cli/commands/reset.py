"""`./venue reset`: remove databases, messages, keys and private servers; the next start is a first
one.
"""

import argparse
import shutil
import sys
from pathlib import Path

from venue_cli.commands import options
from venue_launcher import background, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.infrastructure import removal
from venue_launcher.terminal import report

KEPT = ("environment.lock", "venue.lock", "cache", "downloads", "venv", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--yes and --infrastructure."""
    parser.add_argument("--yes", action="store_true", help="don't ask")
    options.add_infrastructure(parser)


def run(arguments: argparse.Namespace) -> int:
    """Stop and remove. Asks first on a terminal."""
    state_dir = state_folder.choose()
    if not arguments.yes:
        _ask()
    background.stop(state_dir)
    for line in removal.remove(arguments.infrastructure, state_dir):
        report(line)
    _remove_state(state_dir)
    report("removed; the next ./venue up starts from nothing, and looks for servers anew")
    return 0


def _ask() -> None:
    if not sys.stdin.isatty():
        raise CommandError(
            "reset removes all that this venue stored: add --yes to do so without a question"
        )
    answer = input(
        "This removes all accounts, orders, trades and reports of this venue. Go on? [y/N] "
    )
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was removed")


def _remove_state(state_dir: Path) -> None:
    """All in the state folder but the environment, the downloads and the tests' servers."""
    for entry in state_dir.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
