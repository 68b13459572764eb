"""`./venue bench core`: how fast the matching engine's core is."""

import argparse

from venue_cli.bench import core


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What each benchmark takes."""
    actions = parser.add_subparsers(dest="action", metavar="WHAT", required=True)
    core.add_arguments(actions.add_parser("core", help="the matching engine alone, in one process"))


def run(arguments: argparse.Namespace) -> int:
    """The benchmark's own exit code."""
    return int(core.run(arguments))
