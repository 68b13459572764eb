"""`./venue down`: stop the venue, wherever its launcher runs."""

import argparse

from venue_cli import detached, state_folder
from venue_cli.terminal import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Stop what runs; exit code 0 also when nothing did."""
    report("stopped" if detached.stop(state_folder.choose()) else "nothing was running")
    return 0
