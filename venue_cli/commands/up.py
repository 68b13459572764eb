"""`./venue up`: start everything and watch it."""

import argparse
import os
import sys

from venue_cli.commands import options
from venue_launcher import background, running_venue
from venue_launcher.addresses import describe
from venue_launcher.terminal import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--detach, --host and --infrastructure."""
    parser.add_argument(
        "--detach",
        action="store_true",
        help="return once the venue is ready; stop it with ./venue down",
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("VENUE_HOST", "127.0.0.1"),
        help="address to listen on (default 127.0.0.1)",
    )
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    options.add_infrastructure(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal (exit code 0) or until a service can't be kept running (1)."""
    if arguments.detach:
        return background.start(arguments.infrastructure, arguments.host)
    with running_venue.start(arguments.infrastructure, host=arguments.host) as venue:
        if not arguments.background:
            print(describe(venue), flush=True)
            report("the venue is open; Ctrl-C stops it")
        try:
            venue.wait()
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0
