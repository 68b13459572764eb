"""`./venue action`: corporate actions."""

import argparse

from venue_launcher import running_venue, state_folder
from venue_launcher.session_client import SessionClient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """split."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    split = actions.add_parser(
        "split", help="new shares for old ones: ./venue action split AAPL 2 1"
    )
    split.add_argument("security")
    split.add_argument("new_shares", type=int, metavar="NEW")
    split.add_argument("old_shares", type=int, metavar="OLD")
    split.add_argument(
        "--share-price", metavar="PRICE", help="cash for the fraction of a new share"
    )


def run(arguments: argparse.Namespace) -> int:
    """Apply one action."""
    door = SessionClient(running_venue.attach(state_folder.choose()))
    body = {name: value for name, value in vars(arguments).items() if name in _FIELDS}
    logged = door.apply_action({name: value for name, value in body.items() if value is not None})
    print(f"{logged['security']}: {logged['action']} is logged as action {logged['action_id']}")
    return 0


_FIELDS = ("action", "security", "new_shares", "old_shares", "share_price")
