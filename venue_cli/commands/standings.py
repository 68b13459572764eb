"""`./venue standings`: the ranking now."""

import argparse
import json

from venue_launcher import running_venue, state_folder
from venue_launcher.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="one JSON list on standard output")
    parser.epilog = (
        "Traders are ranked by equity: cash, and shares at the mark, the median of what at least "
        "four clients traded at. The return is on what "
        "was paid in: starting "
        "cash and deposits; shares that were given count at the reference price."
    )


def run(arguments: argparse.Namespace) -> int:
    """0 once the ranking is printed."""
    from trading_bots.refusal import Refused, VenueUnavailable
    from venue_audit.standings import StandingsReader, as_json, table

    reader = StandingsReader(running_venue.attach(state_folder.choose()))
    try:
        ranked = reader.read()
    except (Refused, VenueUnavailable) as error:
        raise CommandError(
            f"the feed can't say who owns what ({error}): see ./venue status"
        ) from error
    finally:
        reader.close()
    print(json.dumps(as_json(ranked), indent=2) if arguments.json else "\n".join(table(ranked)))
    return 0
