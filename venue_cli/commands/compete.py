"""`./venue compete`: a competition from one file, or a new bot against a ladder of stored ones."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The rules or the new bot, how to play, and where the results go."""
    parser.add_argument(
        "what",
        metavar="FILE",
        help="competition.toml; with --ladder the new bot, such as my_bot.py",
    )
    parser.add_argument(
        "--simulated", action="store_true", help="in one process and simulated time"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="a new folder for the results")
    parser.add_argument("--ladder", type=Path, metavar="DIR", help="play against the bots in DIR")
    parser.add_argument(
        "--seeds", type=int, default=5, help="pairs of rounds against each stored bot (default 5)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play, and print the ranking."""
    from venue_competition import console

    if arguments.ladder is not None:
        return console.climb_ladder(arguments.ladder, arguments.what, arguments.seeds)
    return console.compete_simulated(Path(arguments.what), arguments.output)
