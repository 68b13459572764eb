"""`./venue replay orders FILE`: recorded order flow through the real door."""

import argparse

from venue_cli import running
from venue_cli.commands import options
from venue_cli.replay import orders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `replay orders` takes, and --infrastructure."""
    actions = parser.add_subparsers(dest="action", metavar="WHAT", required=True)
    recorded = actions.add_parser("orders", help="order messages from a file")
    orders.add_arguments(recorded)
    options.add_infrastructure(recorded)


def run(arguments: argparse.Namespace) -> int:
    """On the venue that runs, else on one started for it."""
    with running.attach_or_start(arguments.infrastructure) as venue:
        return int(orders.run(venue, arguments))
