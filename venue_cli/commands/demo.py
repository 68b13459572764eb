"""`./venue demo`: a venue with bots trading on it."""

import argparse
from pathlib import Path

from venue_cli.commands import options
from venue_launcher import running_venue
from venue_launcher.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--seconds, --seed, --day, --picture and --infrastructure."""
    parser.add_argument("--seconds", type=int, help="how long to trade (default: until Ctrl-C)")
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="of dice, values and activity (default 1); what a bot sees, and when, a live clock "
        "decides, so two demos of one seed are alike and not equal",
    )
    parser.add_argument(
        "--day",
        action="store_true",
        help="a trading day in two minutes: auctions, a halt, the close, an audit",
    )
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="draw the prices as an SVG into this file"
    )
    options.add_infrastructure(parser)


def run(arguments: argparse.Namespace) -> int:
    """The demo's own exit code; the venue is stopped afterwards unless it ran before."""
    from venue_trials.demo import show

    if arguments.day and arguments.seconds is not None:
        raise CommandError("a day has its own length: leave out --seconds")

    with running_venue.attach_or_start(arguments.infrastructure) as venue:
        return int(
            show.run(venue, arguments.seconds, arguments.seed, arguments.day, arguments.picture)
        )
