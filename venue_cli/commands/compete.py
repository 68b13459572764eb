"""`./venue compete`: a competition from one file, or a new bot against a ladder of stored ones."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The rules, how to play, and where the results go."""
    parser.add_argument("rules", type=Path, help="the competition, such as competition.toml")
    parser.add_argument(
        "--simulated", action="store_true", help="in one process and simulated time"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="a new folder for the results")


def run(arguments: argparse.Namespace) -> int:
    """Play, and print the ranking."""
    from venue_competition import console

    return console.compete_simulated(arguments.rules, arguments.output)
