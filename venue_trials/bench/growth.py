"""`./venue bench growth`: the whole way again and again, with more accounts, then securities, then
resting orders.
"""

import argparse
import copy
import logging
from collections.abc import Iterator
from typing import NamedTuple

from venue_launcher.errors import CommandError
from venue_launcher.terminal import report, silent, table
from venue_trials.bench import venue
from venue_trials.bench.run_figures import RunFigures

_COLUMNS = (
    "accounts",
    "securities",
    "resting",
    "accepted/s",
    "settled/s",
    "ack p50",
    "ack p99",
    "matched p99",
    "settled p99",
    "us/command",
    "audit",
)


class Point(NamedTuple):
    """What one step has."""

    accounts: int
    securities: int
    resting: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The steps; else what one whole benchmark takes."""
    venue.add_arguments(parser)
    parser.add_argument(
        "--accounts-steps",
        default="1,10,100,1000,10000",
        metavar="N,…",
        help="with --securities each",
    )
    parser.add_argument(
        "--securities-steps", default="1,5,50,500", metavar="N,…", help="with --accounts each"
    )
    parser.add_argument(
        "--resting-steps",
        default="5000,100000,1000000",
        metavar="N,…",
        help="in books of --securities",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when every audit found nothing."""
    venue.check(arguments)
    points = list(_points(arguments))
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    say = silent if arguments.json else report
    rows, passed = [], True
    for point in points:
        chosen = copy.copy(arguments)
        chosen.accounts, chosen.securities, chosen.resting = point
        result = venue.measure(chosen, say)
        passed = passed and result.passed
        if arguments.output or arguments.json:
            venue.show(result, chosen)
        rows += [_row(point, figures, result.passed) for figures in result.runs]
    if not arguments.json:
        print(table(rows, _COLUMNS))
    return 0 if passed else 1


def _points(arguments: argparse.Namespace) -> Iterator[Point]:
    """Each step, once."""
    usual = Point(arguments.accounts, arguments.securities, arguments.resting)
    steps = [usual._replace(accounts=number) for number in _numbers(arguments.accounts_steps)]
    steps += [usual._replace(securities=number) for number in _numbers(arguments.securities_steps)]
    steps += [usual._replace(resting=number) for number in _numbers(arguments.resting_steps)]
    yield from dict.fromkeys(steps)


def _numbers(text: str) -> list[int]:
    """The whole numbers above zero in a list with commas; raises CommandError.

    An empty list has none.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise CommandError(f"{text!r} is no list of whole numbers such as 1,10,100")
    return [int(part) for part in parts]


def _row(point: Point, figures: RunFigures, is_equal: bool) -> dict[str, str]:
    latencies = (
        figures.acknowledged.p50_ms,
        figures.acknowledged.p99_ms,
        figures.matched_after.p99_ms,
        figures.settled_after.p99_ms,
    )
    values = [
        *(f"{number:,}" for number in point),
        f"{figures.accepted:,.0f}",
        f"{figures.settled:,.0f}",
        *("-" if value is None else f"{value:,.1f} ms" for value in latencies),
        f"{figures.microseconds_a_command:.0f}",
        "EQUAL" if is_equal else "NOT EQUAL",
    ]
    return dict(zip(_COLUMNS, values, strict=True))
