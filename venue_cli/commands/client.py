"""`./venue client create NAME`, `./venue client list`."""

import argparse

from venue_launcher import running_venue, state_folder
from venue_launcher.admin_client import Administration
from venue_launcher.table import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """create and list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make an account and print its API key, this once")
    create.add_argument("name", help="the client's id")
    create.add_argument(
        "--cash", metavar="DOLLARS", help='for example "10000.00"; default: what each trader gets'
    )
    create.add_argument(
        "--role", default="trader", choices=["trader", "market_maker", "administrator"]
    )
    actions.add_parser("list", help="all clients with their cash")


def run(arguments: argparse.Namespace) -> int:
    """The key alone goes to standard output."""
    administration = Administration(running_venue.attach(state_folder.choose()))
    if arguments.action == "create":
        print(administration.create_client(arguments.name, arguments.role, arguments.cash))
    else:
        print(
            render(administration.clients(), ["client_id", "role", "balance", "held", "available"])
        )
    return 0
