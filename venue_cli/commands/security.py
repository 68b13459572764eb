"""`./venue security list`, `./venue security add`."""

import argparse
from typing import Any

from venue_launcher import running_venue, state_folder
from venue_launcher.admin_client import Administration
from venue_launcher.terminal import table

COLUMNS = ["security", "name", "tick", "lot", "band_bps", "reference_price"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list and add."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="all securities with their rules")
    add = actions.add_parser("add", help="list a new security; it can be traded at once")
    add.add_argument("security", help="its symbol, for example NVDA")
    add.add_argument("--name", help="its full name (default: the symbol)")
    add.add_argument(
        "--reference-price", required=True, metavar="DOLLARS", help="middle of the price band"
    )
    add.add_argument(
        "--tick",
        default="0.01",
        metavar="DOLLARS",
        help="prices are multiples of it (default 0.01)",
    )
    add.add_argument(
        "--lot", type=int, default=1, help="quantities are multiples of it (default 1)"
    )
    add.add_argument(
        "--band-bps",
        type=int,
        default=1000,
        help="half width of the price band in hundredths of a percent, 1 to 10000 (default 1000:"
        " 10 percent)",
    )
    add.add_argument(
        "--issued-shares",
        type=int,
        default=1_000_000,
        help="shares that the venue can give out (default 1000000)",
    )


def run(arguments: argparse.Namespace) -> int:
    """List or add."""
    administration = Administration(running_venue.attach(state_folder.choose()))
    if arguments.action == "list":
        print(table(administration.securities(), COLUMNS))
        return 0
    body: dict[str, Any] = {
        "security": arguments.security,
        "name": arguments.name or arguments.security,
        "reference_price": arguments.reference_price,
        "tick": arguments.tick,
        "lot": arguments.lot,
        "band_bps": arguments.band_bps,
        "issued_shares": arguments.issued_shares,
    }
    administration.add_security(body)
    print(f"{arguments.security} is listed")
    return 0
