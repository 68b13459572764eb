"""`./venue bench venue`: the whole way, from the door to the private stream, with everything real."""

import argparse
import logging
import platform
import sys
import time
from pathlib import Path

import msgspec

from venue_cli.audit import presentation
from venue_cli.audit.proof import Verdict
from venue_cli.bench import machine, venue_words
from venue_cli.bench.machine import MachineLimits
from venue_cli.bench.run_figures import RunFigures
from venue_cli.bench.venue_run import Workbench
from venue_cli.bench.venue_site import BenchSite, open_site
from venue_cli.load.mixes import MIXES
from venue_cli.load.plan import CASES
from venue_cli.terminal import Report, report, silent

_BYTES_A_COMMAND = 170
"""About, in a batch on the broker."""


class VenueResult(msgspec.Struct):
    """All figures of one benchmark, and where they were taken."""

    python: str
    machine: str
    limits: MachineLimits | None
    runs: list[RunFigures]
    restarts: dict[str, int]
    is_equal: bool
    """Whether the audit found nothing."""
    compared: dict[str, int]
    differences: list[str]

    @property
    def passed(self) -> bool:
        """Whether the figures count: nothing drifted, nothing ended by itself."""
        return self.is_equal and not self.restarts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the benchmark takes."""
    parser.add_argument("--case", choices=CASES, action="append", help="the way in; may be repeated (default: all)")
    parser.add_argument("--mix", choices=list(MIXES), default="usual", help="what is sent (default usual)")
    parser.add_argument("--rate", default="1000", help="commands a second (default 1000)")
    parser.add_argument("--size", type=int, default=100, help="commands in a list or frame (default 100)")
    parser.add_argument("--seconds", type=float, default=30.0, help="steady state (default 30)")
    parser.add_argument("--warm-up", type=float, default=5.0, metavar="S", help="seconds before it (default 5)")
    add_site_arguments(parser)


def add_site_arguments(parser: argparse.ArgumentParser) -> None:
    """What every benchmark on a private venue takes."""
    parser.add_argument("--accounts", type=int, default=200, help="clients that send (default 200)")
    parser.add_argument("--securities", type=int, default=5, help="securities they trade (default 5)")
    parser.add_argument("--resting", type=int, default=5_000, help="orders in the books before (default 5000)")
    parser.add_argument("--watched", type=int, default=4, help="clients whose private streams are heard (default 4)")
    parser.add_argument("--no-limits", action="store_true", help="do not measure the machine's own limits first")
    parser.add_argument("--every-second", action="store_true", help="print each second too")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--output", type=Path, help="folder for the results as JSON and the plot as SVG")


def run(arguments: argparse.Namespace) -> int:
    """0 when the audit found nothing."""
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    say = silent if arguments.json else report
    with open_site(say) as site:
        limits = limits_of(site, arguments, say)
        bench = Workbench(site, arguments.accounts, arguments.securities, arguments.watched, say)
        bench.fill(arguments.resting)
        runs = []
        for case in arguments.case or CASES:
            say(f"{case}: {arguments.rate} commands/s for {arguments.warm_up + arguments.seconds:.0f} s …")
            mix = MIXES[arguments.mix]
            plan = bench.plan(case, mix, float(arguments.rate), arguments.size, arguments.seconds, arguments.warm_up)
            runs.append(bench.measure(plan))
        say("audit …")
        result = conclude(limits, runs, site, bench.audit())
    show(result, arguments)
    return 0 if result.passed else 1


def limits_of(site: BenchSite, arguments: argparse.Namespace, say: Report) -> MachineLimits | None:
    """The machine's own limits, unless they are not wanted."""
    if arguments.no_limits:
        return None
    say("the machine's own limits …")
    venue = site.venue
    return machine.measure(venue.broker_url, venue.postgres_url, _BYTES_A_COMMAND * arguments.size, 2.0)


def conclude(limits: MachineLimits | None, runs: list[RunFigures], site: BenchSite, verdict: Verdict) -> VenueResult:
    """The result with its verdict."""
    said = [] if verdict.is_equal else presentation.lines(verdict)
    where = f"{platform.system()} {platform.machine()}"
    return VenueResult(
        platform.python_version(), where, limits, runs, site.restarts(), verdict.is_equal, verdict.counts, said
    )


def show(result: VenueResult, arguments: argparse.Namespace) -> None:
    """Print the result, and leave it in the folder that was asked for."""
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        name = time.strftime("venue-%Y%m%d-%H%M%S")
        (arguments.output / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(result)))
    if arguments.json:
        print(msgspec.json.encode(result).decode())
        return
    lines = [f"Python {result.python}, {result.machine}"]
    lines += venue_words.limit_lines(result.limits) if result.limits else []
    for figures in result.runs:
        lines += ["", *venue_words.run_lines(figures, result.limits)]
        lines += ["", *venue_words.second_lines(figures)] if arguments.every_second else []
    compared = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in result.compared.items())
    lines += ["", f"audit: {'EQUAL' if result.is_equal else 'NOT EQUAL'}; compared {compared}", *result.differences]
    lines += [f"{name} ended {count} times by itself" for name, count in result.restarts.items()]
    print("\n".join(lines))
    sys.stdout.flush()
