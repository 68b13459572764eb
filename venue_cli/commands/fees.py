"""`./venue fees`: what trading costs, for whom and in which security."""

import argparse

from venue_launcher import running_venue, state_folder
from venue_launcher.admin_client import Administration
from venue_launcher.terminal import table

COLUMNS = ["security", "tier", "maker_bps", "taker_bps", "auction_bps"]
_ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """set, remove and tier; nothing shows the schedule."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    setting = actions.add_parser("set", help="set the rates of later orders, in basis points")
    setting.add_argument(
        "--maker", type=int, required=True, metavar="BPS", help="who rests; below zero: a rebate"
    )
    setting.add_argument("--taker", type=int, required=True, metavar="BPS", help="who takes")
    setting.add_argument(
        "--auction", type=int, default=0, metavar="BPS", help="both in an auction (default 0)"
    )
    _add_row(setting)
    _add_row(actions.add_parser("remove", help="remove the rates of a security and tier"))
    tier = actions.add_parser("tier", help="put a client into a tier")
    tier.add_argument("client", help="the client's id")
    tier.add_argument("tier", help="a tier that has rates, or standard")


def _add_row(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--security", help="only in this security (default: in all)")
    parser.add_argument("--tier", default="standard", help="only this tier (default: standard)")


def run(arguments: argparse.Namespace) -> int:
    """Show or change the schedule."""
    administration = Administration(running_venue.attach(state_folder.choose()))
    if arguments.action == "set":
        row = administration.set_fees(
            {
                "security": arguments.security,
                "tier": arguments.tier,
                "maker_bps": arguments.maker,
                "taker_bps": arguments.taker,
                "auction_bps": arguments.auction,
            }
        )
        print(f"later orders in {row['security'] or _ALL} of tier {row['tier']} pay that")
    elif arguments.action == "remove":
        was_set = administration.remove_fees(arguments.security, arguments.tier)
        print("removed" if was_set else "there was no such row")
    elif arguments.action == "tier":
        administration.set_fee_tier(arguments.client, arguments.tier)
        print(f"{arguments.client} is in tier {arguments.tier}")
    else:
        _show(administration)
    return 0


def _show(administration: Administration) -> None:
    rows = [row | {"security": row["security"] or _ALL} for row in administration.fees()]
    print(table(rows, COLUMNS) if rows else "trading is free")
    tiers = administration.fee_tiers()
    if tiers:
        print()
        named = [{"client": name, "tier": tier} for name, tier in tiers.items()]
        print(table(named, ["client", "tier"]))
