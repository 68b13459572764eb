"""`./venue report transfers`: who gained how much from whom by trading."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from venue_launcher import running_venue, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.terminal import table

_COLUMNS = ["client_id", "gained", "from_client_id", "trades", "shares", "traded"]
_MOST = 1_000
"""The largest page of the feed; a list for people is far shorter."""
_PATIENCE_S = 60.0
"""The report reads all trades of the venue: some seconds for some millions."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """transfers, with --limit and --json."""
    reports = parser.add_subparsers(dest="report", metavar="REPORT", required=True)
    transfers = reports.add_parser(
        "transfers", help="who gained how much from whom by trading, the largest first"
    )
    transfers.add_argument("--limit", type=int, default=20, help=f"rows, 1 to {_MOST} (default 20)")
    transfers.add_argument("--json", action="store_true", help="one JSON list on standard output")
    transfers.epilog = (
        "What a client has of all its trades with another, shares at the mark, less what it paid. "
        "A gain far from what others make shows accounts that give money away."
    )


def run(arguments: argparse.Namespace) -> int:
    """0 once the report is printed."""
    if not 1 <= arguments.limit <= _MOST:
        raise CommandError(f"--limit is from 1 to {_MOST}")
    rows = _read(arguments.limit)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print(table(rows, _COLUMNS) if rows else "nobody gained anything from anybody yet")
    return 0


def _read(limit: int) -> Sequence[dict[str, Any]]:
    from trading_bots.refusal import Refused, VenueUnavailable
    from trading_bots.transport import Transport

    venue = running_venue.attach(state_folder.choose())
    feed = Transport(venue.market_data_url, venue.admin_key, patience_s=_PATIENCE_S)
    try:
        rows: list[dict[str, Any]] = feed.request("GET", f"/v1/transfers?limit={limit}")[
            "transfers"
        ]
    except (Refused, VenueUnavailable) as error:
        raise CommandError(
            f"the feed can't say who gained from whom ({error}): see ./venue status"
        ) from error
    finally:
        feed.close()
    return rows
