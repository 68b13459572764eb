"""`./venue cancel`: an administrator cancels open orders of a client, of a security, or all."""

import argparse

from venue_launcher import running_venue, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.session_client import SessionClient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--client, --security or --all."""
    parser.add_argument("--client", metavar="NAME", help="the open orders of this client")
    parser.add_argument("--security", metavar="NAME", help="the open orders in this security")
    parser.add_argument("--all", action="store_true", dest="is_all", help="all open orders")
    parser.epilog = (
        "--client and --security together: the client's orders in that security. Clients may "
        "send new orders at once; ./venue session halt and ./venue client suspend stop them."
    )


def run(arguments: argparse.Namespace) -> int:
    """0 once the cancels are in the order log."""
    named = {"client_id": arguments.client, "security": arguments.security}
    body: dict[str, object] = {name: value for name, value in named.items() if value is not None}
    if arguments.is_all == bool(body):
        raise CommandError("say --all, or --client, --security or both of them")
    venue = running_venue.attach(state_folder.choose())
    clients = SessionClient(venue).cancel_orders(body or {"all": True})
    print(f"the open orders of {clients} {'client' if clients == 1 else 'clients'} are canceled")
    return 0
