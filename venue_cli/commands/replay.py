"""`./venue replay orders FILE`: recorded orders through the real door; `./venue replay
settlements`: the reports.
"""

import argparse

from venue_audit import settlements
from venue_cli.commands import options
from venue_launcher import running_venue
from venue_trials.recorded_flow import orders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What each kind takes."""
    actions = parser.add_subparsers(dest="action", metavar="WHAT", required=True)
    recorded = actions.add_parser("orders", help="order messages from a file")
    orders.add_arguments(recorded)
    options.add_infrastructure(recorded)
    retold = actions.add_parser(
        "settlements", help="balances and holdings, step by step, from the settlement reports"
    )
    settlements.add_arguments(retold)


def run(arguments: argparse.Namespace) -> int:
    """Orders need a venue (one is started if none runs); settlements need none that runs."""
    if arguments.action == "settlements":
        return settlements.run(arguments)
    plan = orders.read_plan(arguments)
    with running_venue.attach_or_start(arguments.infrastructure) as venue:
        return int(orders.run(venue, plan, arguments))
