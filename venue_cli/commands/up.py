"""`./venue up`: start everything and watch it."""

import argparse
import os
import sys

from venue_cli.commands import options
from venue_launcher import background, running_venue
from venue_launcher.terminal import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--detach, --host, --administration-host and --infrastructure."""
    parser.add_argument(
        "--detach",
        action="store_true",
        help="return once the venue is ready; stop it with ./venue down",
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("VENUE_HOST", "127.0.0.1"),
        help="address on which order entry and market data listen (default 127.0.0.1)",
    )
    parser.add_argument(
        "--administration-host",
        default="127.0.0.1",
        help="address on which clearinghouse and engine listen (default 127.0.0.1: whoever reaches "
        "them with the administrator's key owns the venue)",
    )
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    options.add_infrastructure(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal (exit code 0) or until a service can't be kept running (1)."""
    hosts = running_venue.Hosts(arguments.host, arguments.administration_host)
    if arguments.detach:
        return background.start(arguments.infrastructure, hosts)
    with running_venue.start(arguments.infrastructure, hosts=hosts) as venue:
        if not arguments.background:
            print(running_venue.describe(venue), flush=True)
            report("the venue is open; Ctrl-C stops it")
        try:
            venue.wait()
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0
