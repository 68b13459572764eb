"""`./venue bench WHAT`: how fast the venue is, the whole way and each stage alone."""

import argparse
from collections.abc import Callable
from functools import partial

from venue_trials.bench import core, door, growth, netting, simulation, soak, stages, venue

Benchmark = tuple[
    Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int], str
]

_BENCHMARKS: dict[str, Benchmark] = {
    "core": (core.add_arguments, core.run, "the matching engine's core alone, in one process"),
    "venue": (venue.add_arguments, venue.run, "the whole way, from the door to the private stream"),
    "door": (door.add_arguments, door.run, "the gateway alone, with and without its commit"),
    "growth": (
        growth.add_arguments,
        growth.run,
        "the whole way with few and many accounts and securities",
    ),
    "simulation": (
        simulation.add_arguments,
        simulation.run,
        "markets in simulated time, with the share of each part",
    ),
    "netting": (
        netting.add_arguments,
        netting.run,
        "settlement gross and net side by side, and one large cycle",
    ),
    "soak": (soak.add_arguments, soak.run, "the same load for an hour: whether it stays flat"),
    "match": (
        stages.add_arguments,
        partial(stages.run_stage, "match"),
        "the engine alone, from a filled queue",
    ),
    "settle": (
        stages.add_arguments,
        partial(stages.run_stage, "settle"),
        "the clearinghouse alone, likewise",
    ),
    "record": (
        stages.add_arguments,
        partial(stages.run_stage, "record"),
        "the feed alone, likewise",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What each benchmark takes."""
    actions = parser.add_subparsers(dest="action", metavar="WHAT", required=True)
    for name, (add, _, says) in _BENCHMARKS.items():
        add(actions.add_parser(name, help=says, allow_abbrev=False))


def run(arguments: argparse.Namespace) -> int:
    """The benchmark's own exit code."""
    return int(_BENCHMARKS[arguments.action][1](arguments))
