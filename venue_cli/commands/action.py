"""`./venue action`: corporate actions."""

import argparse

from venue_launcher import running_venue, state_folder
from venue_launcher.session_client import SessionClient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """split, dividend, rename, delist."""
    actions = parser.add_subparsers(dest="name", metavar="ACTION", required=True)
    split = actions.add_parser("split", help="new shares for old ones: split AAPL 2 1")
    split.add_argument("security")
    split.add_argument("new_shares", type=int, metavar="NEW")
    split.add_argument("old_shares", type=int, metavar="OLD")
    split.add_argument("--share-price", metavar="PRICE", help="for the fraction of a new share")
    dividend = actions.add_parser("dividend", help="declare cash for each share")
    dividend.add_argument("security")
    dividend.add_argument("per_share", metavar="AMOUNT")
    dividend.add_argument(
        "--ex", dest="ex_time", required=True, metavar="TIME", help="such as 2026-11-21T14:30:00Z"
    )
    dividend.add_argument("--record", dest="record_time", metavar="TIME", help="default: --ex")
    dividend.add_argument("--pay", dest="pay_time", metavar="TIME", help="default: --record")
    rename = actions.add_parser("rename", help="the same shares under another symbol")
    rename.add_argument("security")
    rename.add_argument("new_security", metavar="NEW")
    rename.add_argument("--cancel-orders", dest="keeps_orders", action="store_false", default=None)
    delist = actions.add_parser("delist", help="pay shares out at a price, or write them off")
    delist.add_argument("security")
    delist.add_argument("--share-price", metavar="PRICE", help="default: written off")


def run(arguments: argparse.Namespace) -> int:
    """Command one action."""
    door = SessionClient(running_venue.attach(state_folder.choose()))
    told = {name: getattr(arguments, name, None) for name in _FIELDS}
    body = {name: value for name, value in told.items() if value is not None}
    logged = door.apply_action({"action": _ACTIONS[arguments.name], **body})
    print(f"{logged['security']}: {logged['action']} is logged as action {logged['action_id']}")
    return 0


_ACTIONS = {
    "split": "split",
    "dividend": "cash_dividend",
    "rename": "symbol_change",
    "delist": "delisting",
}
_FIELDS = (
    "security",
    "new_shares",
    "old_shares",
    "share_price",
    "per_share",
    "ex_time",
    "record_time",
    "pay_time",
    "new_security",
    "keeps_orders",
)
