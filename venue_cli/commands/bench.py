"""`./venue bench WHAT`: how fast the venue is, the whole way and each stage alone."""

import argparse

from venue_cli.bench import core, venue

_BENCHMARKS = {
    "core": (core, "the matching engine alone, in one process"),
    "venue": (venue, "the whole way, from the door to the private stream, with servers of its own"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What each benchmark takes."""
    actions = parser.add_subparsers(dest="action", metavar="WHAT", required=True)
    for name, (benchmark, says) in _BENCHMARKS.items():
        benchmark.add_arguments(actions.add_parser(name, help=says, allow_abbrev=False))


def run(arguments: argparse.Namespace) -> int:
    """The benchmark's own exit code."""
    return int(_BENCHMARKS[arguments.action][0].run(arguments))
