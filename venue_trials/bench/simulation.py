"""`./venue bench simulation`: how fast markets in simulated time are, and what each part takes."""

import argparse
import os
import platform

import msgspec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the benchmark takes."""
    parser.add_argument("--orders", type=int, default=100_000, help="of the venue alone")
    parser.add_argument("--batch", type=int, default=100, help="orders of one commit")
    parser.add_argument(
        "--seconds", type=float, default=3600.0, help="of the market, in simulated time"
    )
    parser.add_argument("--steps", type=int, default=5_000, help="of the learner's environment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """0 when all was measured."""
    from venue_trials.bench.simulated_figures import (
        lines,
        measure_environment,
        measure_market,
        measure_venue,
    )

    measured = [
        measure_venue(arguments.orders, arguments.batch, arguments.seed),
        measure_market(arguments.seconds, arguments.seed),
        measure_environment(arguments.steps, arguments.seed),
    ]
    load = os.getloadavg()[0]
    if arguments.json:
        content = {"load": load, "figures": msgspec.to_builtins(measured)}
        print(msgspec.json.encode(content).decode())
        return 0
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {load:.1f}")
    for figures in measured:
        print("\n".join(lines(figures)))
    return 0
