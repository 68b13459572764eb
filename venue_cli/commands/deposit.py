"""`./venue deposit CLIENT --cash 100.00`, `./venue deposit CLIENT --security AAPL --shares 10`."""

import argparse
from typing import Any

from venue_launcher import running_venue, state_folder
from venue_launcher.admin_client import Administration
from venue_launcher.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The client, and cash or shares."""
    parser.add_argument("client", help="the client's id")
    parser.add_argument("--cash", metavar="DOLLARS", help='for example "100.00"')
    parser.add_argument("--security", help="for example AAPL, with --shares")
    parser.add_argument("--shares", type=int, help="whole shares of --security")


def run(arguments: argparse.Namespace) -> int:
    """One deposit."""
    Administration(running_venue.attach(state_folder.choose())).deposit(_body(arguments))
    given = f"${arguments.cash}" if arguments.cash else f"{arguments.shares} {arguments.security}"
    print(f"{arguments.client} received {given}")
    return 0


def _body(arguments: argparse.Namespace) -> dict[str, Any]:
    has_shares = arguments.security is not None and arguments.shares is not None
    if arguments.cash is not None and arguments.security is None and arguments.shares is None:
        return {"client_id": arguments.client, "cash": arguments.cash}
    if arguments.cash is None and has_shares:
        return {
            "client_id": arguments.client,
            "security": arguments.security,
            "shares": arguments.shares,
        }
    raise CommandError("say what to deposit: either --cash 100.00, or --security AAPL --shares 10")
