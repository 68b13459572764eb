"""`./venue bench core`: messages a second of the matching engine's core, and how cost grows with
depth.
"""

import argparse
import platform
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from venue_trials.bench.book_depth import DepthCost, measure_depth
from venue_trials.bench.generated_flow import SHAPES, generate
from venue_trials.bench.order_flow import FlowMessage
from venue_trials.bench.recorded_flow import read_workload, workload_names
from venue_trials.bench.throughput import Throughput, measure

_RECORDED = Path(__file__).parents[3] / "shared" / "data" / "matching_consensus"
_SMALL_BOOK = 1_000


class CoreResult(msgspec.Struct, frozen=True):
    """All figures of one run, and where they were taken."""

    python: str
    machine: str
    batch_size: int
    repeats: int
    workloads: list[Throughput]
    depths: list[DepthCost]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the benchmark takes."""
    parser.add_argument(
        "--data",
        type=Path,
        default=_RECORDED,
        help="folder of recorded workloads (matching_consensus)",
    )
    parser.add_argument(
        "--generated",
        action="store_true",
        help="use generated workloads even where recorded ones are",
    )
    parser.add_argument(
        "--messages", type=int, default=40_000, help="length of a generated workload"
    )
    parser.add_argument("--seed", type=int, default=23, help="seed of what is generated")
    parser.add_argument(
        "--batch", type=int, default=300, help="commands in one message of the broker"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs; the median counts")
    parser.add_argument(
        "--depths",
        default="10,1000,100000,1000000",
        help="numbers of resting orders, with commas; empty for none",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; 0 when done, 2 when the arguments make no sense."""
    try:
        depths = [int(depth) for depth in arguments.depths.split(",") if depth]
    except ValueError:
        depths = [0]
    if (
        min([arguments.messages, arguments.batch, arguments.repeats, *depths]) < 1
        or arguments.batch > 10_000
    ):
        print(
            "bench core: give whole numbers from 1 on, and a batch of 10000 at most",
            file=sys.stderr,
        )
        return 2
    workloads = []
    for name, messages in _workloads(arguments):
        _say(arguments, f"workload {name}")
        workloads.append(measure(name, messages, arguments.batch, arguments.repeats))
    costs = []
    for depth in depths:
        _say(arguments, f"{depth:,} resting orders")
        costs.append(measure_depth(depth, arguments.repeats, arguments.seed))
    machine = f"{platform.system()} {platform.machine()}"
    result = CoreResult(
        platform.python_version(), machine, arguments.batch, arguments.repeats, workloads, costs
    )
    print(msgspec.json.encode(result).decode() if arguments.json else "\n".join(_lines(result)))
    return 0


def _workloads(arguments: argparse.Namespace) -> Iterator[tuple[str, Iterable[FlowMessage]]]:
    names = [] if arguments.generated else workload_names(arguments.data)
    for name in names:
        yield name, read_workload(arguments.data, name)
    if not names:
        for shape in SHAPES:
            yield f"{shape} (generated)", generate(shape, arguments.seed, arguments.messages)


def _say(arguments: argparse.Namespace, step: str) -> None:
    if not arguments.json:
        print(f"... {step}", file=sys.stderr, flush=True)


def _lines(result: CoreResult) -> Iterator[str]:
    yield (
        f"Python {result.python}, {result.machine}, batches of {result.batch_size}, median of "
        f"{result.repeats}"
    )
    yield ""
    yield (
        "whole: decode, match, events, encode. book: matching and events. codec: decode and "
        "encode, the baseline."
    )
    yield "(cpu): by processor time; higher than by the clock when the machine had other work."
    heads = f"{'messages/s':<26}{'whole':>10}{'(cpu)':>10}{'of codec':>10}"
    yield heads + f"{'book':>10}{'codec':>11}{'trades':>8}"
    for figures in result.workloads:
        yield (
            f"{figures.workload:<26}{figures.whole:>10,.0f}{figures.whole_cpu:>10,.0f}"
            f"{figures.whole / figures.baseline:>10.0%}{figures.book:>10,.0f}"
            f"{figures.baseline:>11,.0f}"
            f"{figures.trades:>8,}"
        )
    if result.workloads:
        speeds = [figures.whole for figures in result.workloads]
        yield (
            f"slowest {min(speeds):,.0f} messages/s, {min(speeds) / max(speeds):.0%} of the fastest"
        )
    if result.depths:
        yield ""
        yield from _depth_lines(result.depths)


def _depth_lines(depths: list[DepthCost]) -> Iterator[str]:
    small = next((cost for cost in depths if cost.resting == _SMALL_BOOK), depths[0])
    against = f"to {small.resting:,}"
    yield (
        "us/message by processor time, matching and events. scattered: any order and price is as "
        "likely as any other."
    )
    titles = (
        ("us/message", 12),
        (against, 10),
        ("scattered", 11),
        (against, 10),
        ("bytes/order", 13),
    )
    yield f"{'resting orders':>14}{'levels':>8}" + "".join(
        title.rjust(width) for title, width in titles
    )
    for cost in depths:
        weight = f"{cost.bytes_an_order:,.0f}" if cost.bytes_an_order is not None else "-"
        yield (
            f"{cost.resting:>14,}{cost.levels:>8,}"
            f"{cost.microseconds:>12.2f}{cost.microseconds / small.microseconds:>10.2f}"
            f"{cost.scattered_microseconds:>11.2f}"
            f"{cost.scattered_microseconds / small.scattered_microseconds:>10.2f}"
            f"{weight:>13}"
        )
