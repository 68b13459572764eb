"""`./venue demo`: a venue with bots trading on it."""

import argparse

from venue_cli import running
from venue_cli.commands import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--seconds, --seed and --infrastructure."""
    parser.add_argument("--seconds", type=int, help="how long to trade (default: until Ctrl-C)")
    parser.add_argument("--seed", type=int, default=1, help="of the bots' dice (default 1)")
    options.add_infrastructure(parser)


def run(arguments: argparse.Namespace) -> int:
    """The demo's own exit code; the venue is stopped afterwards unless it ran before."""
    from venue_cli import demo

    with running.attach_or_start(arguments.infrastructure) as venue:
        return int(demo.run(venue, arguments.seconds, arguments.seed))
