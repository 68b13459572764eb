"""`./venue down`: stop the venue, wherever its launcher runs."""

import argparse

from venue_launcher import background, state_folder
from venue_launcher.terminal import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Stop what runs; exit code 0 also when nothing did."""
    report("stopped" if background.stop(state_folder.choose()) else "nothing was running")
    return 0
