"""`./venue bench venue`: the whole way, from the door to the private stream, with everything
real.
"""

import argparse
import logging
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from order_entry_gateway.domain.requests import MOST_COMMANDS
from venue_audit import presentation
from venue_audit.proof import Verdict
from venue_launcher.errors import CommandError
from venue_launcher.terminal import Report, report, silent
from venue_trials.bench import capacity, machine, plot, report_text
from venue_trials.bench.machine import MachineLimits
from venue_trials.bench.overload import Overload, overload
from venue_trials.bench.private_venue import PrivateVenue, start_private
from venue_trials.bench.run_figures import DoorFigures, RunFigures, StageFigures
from venue_trials.bench.workbench import MOST_CONNECTIONS, Workbench
from venue_trials.load import arguments as load
from venue_trials.load import search
from venue_trials.load.mixes import MIXES, Mix
from venue_trials.load.plan import CASES, Case

_BYTES_A_COMMAND = 170
"""About, in a batch on the broker."""
_PROBE_S, _PROBE_WARM_UP_S = 5.0, 2.0
_TRIES, _LOWER = 4, 0.9
_OVERLOAD_FACTOR, _OVERLOAD_SIZE = 2.0, 4
_LONE_RATE = 20.0
_LONE = Mix("lone", rest=0.4, cancel=0.2, take=0.4)


class VenueResult(msgspec.Struct):
    """All figures of one benchmark, and where they were taken."""

    python: str
    machine: str
    limits: MachineLimits | None
    runs: list[RunFigures]
    stages: list[StageFigures]
    doors: list[DoorFigures]
    overloads: list[Overload]
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
    parser.add_argument(
        "--watched", type=int, default=4, help="clients whose private streams are heard (default 4)"
    )
    parser.add_argument(
        "--every-case", action="store_true", help="every way in, one after the other"
    )
    load.add_load_arguments(parser)
    parser.add_argument("--every-second", action="store_true", help="print each second too")
    parser.add_argument(
        "--lone",
        action="store_true",
        help="one client alone, one order after the other, 20 a second",
    )
    parser.add_argument(
        "--overload",
        type=float,
        nargs="?",
        const=60.0,
        metavar="S",
        help="then twice that rate for S seconds (60)",
    )
    add_venue_arguments(parser)


def add_venue_arguments(parser: argparse.ArgumentParser) -> None:
    """What every benchmark on a private venue takes."""
    parser.add_argument("--accounts", type=int, default=200, help="clients that send (default 200)")
    parser.add_argument(
        "--securities", type=int, default=5, help="securities they trade (default 5)"
    )
    parser.add_argument(
        "--connections",
        type=int,
        default=MOST_CONNECTIONS,
        help=f"of the load generator, at most one an account (default {MOST_CONNECTIONS})",
    )
    parser.add_argument(
        "--resting", type=int, default=5_000, help="orders in the books before (default 5000)"
    )
    parser.add_argument(
        "--no-limits", action="store_true", help="do not measure the machine's own limits first"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--output", type=Path, help="folder for the results as JSON and the plot as SVG"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when the audit found nothing and nothing ended by itself."""
    check(arguments)
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    result = measure(arguments, silent if arguments.json else report)
    show(result, arguments)
    return 0 if result.passed else 1


def measure(arguments: argparse.Namespace, say: Report) -> VenueResult:
    """The figures of a venue that is made for them and gone afterwards."""
    with start_private(say) as private:
        limits = limits_of(private, arguments, arguments.size, say)
        bench = Workbench(
            private,
            arguments.accounts,
            arguments.securities,
            arguments.watched,
            say,
            arguments.connections,
        )
        bench.fill(arguments.resting)
        runs, overloads = [], []
        for case in _cases(arguments):
            figures = run_case(bench, case, arguments, say)
            runs.append(figures)
            if arguments.overload:
                overloads.append(_overload(bench, figures, arguments, say))
        say("audit …")
        return conclude(limits, private, bench.audit(), runs, overloads=overloads)


def check(arguments: argparse.Namespace) -> None:
    """Raises CommandError where the arguments make no load."""
    load.check(arguments)
    if min(arguments.resting, arguments.watched) < 0:
        raise CommandError("resting orders and watched clients are not below zero")
    if arguments.overload and (arguments.accounts < 2 or arguments.overload <= 0):
        raise CommandError(
            "an overload lasts some seconds and takes two accounts: one goes on while the others "
            "push"
        )


def _cases(arguments: argparse.Namespace) -> Sequence[Case]:
    if arguments.lone:
        return ("http-single",)
    return CASES if arguments.every_case else (arguments.case,)


def run_case(
    bench: Workbench, case: Case, arguments: argparse.Namespace, say: Report
) -> RunFigures:
    """The figures of one way in; at the highest rate that holds where that is asked for."""
    mix = MIXES[arguments.mix]
    if arguments.lone:
        say(
            f"one client alone, {_LONE_RATE:.0f} orders/s for "
            f"{arguments.warm_up + arguments.seconds:.0f} s …"
        )
        plan = bench.plan(case, _LONE, _LONE_RATE, 1, arguments.seconds, arguments.warm_up)
        return bench.measure(msgspec.structs.replace(plan, accounts=plan.accounts[:1]))
    if arguments.rate != load.MAX:
        say(
            f"{case}: {arguments.rate} commands/s for {arguments.warm_up + arguments.seconds:.0f} "
            "s …"
        )
        rate = float(arguments.rate)
        return bench.measure(
            bench.plan(case, mix, rate, arguments.size, arguments.seconds, arguments.warm_up)
        )

    def holds(rate: float) -> bool:
        plan = bench.plan(case, mix, rate, arguments.size, _PROBE_S, _PROBE_WARM_UP_S)
        has_held = capacity.has_held(bench.measure(plan))
        say(f"{case}: {rate:,.0f} commands/s {'held' if has_held else 'did not hold'}")
        return has_held

    rate = search.search(holds) or search.LEAST_RATE
    for _ in range(_TRIES):
        say(f"{case}: {rate:,.0f} commands/s for {arguments.warm_up + arguments.seconds:.0f} s …")
        figures = bench.measure(
            bench.plan(case, mix, rate, arguments.size, arguments.seconds, arguments.warm_up)
        )
        if capacity.has_held(figures):
            break
        rate *= _LOWER
    return figures


def _overload(
    bench: Workbench, figures: RunFigures, arguments: argparse.Namespace, say: Report
) -> Overload:
    rate = figures.rate * _OVERLOAD_FACTOR
    say(
        f"{figures.case}: {rate:,.0f} commands/s for {arguments.overload:.0f} s, "
        f"{_OVERLOAD_FACTOR:g} times as much …"
    )
    mix = MIXES[arguments.mix]
    # Longer lists, so that more waits at the door than it lets wait.
    size = min(MOST_COMMANDS, _OVERLOAD_SIZE * arguments.size)
    return overload(bench, bench.plan(figures.case, mix, rate, size, arguments.overload, 0.0))


def limits_of(
    private: PrivateVenue, arguments: argparse.Namespace, size: int, say: Report
) -> MachineLimits | None:
    """The machine's own limits for lists of `size` commands, unless they are not wanted."""
    if arguments.no_limits:
        return None
    say("the machine's own limits …")
    venue = private.venue
    return machine.measure(venue.broker_url, venue.postgres_url, _BYTES_A_COMMAND * size, 2.0)


def conclude(
    limits: MachineLimits | None,
    private: PrivateVenue,
    verdict: Verdict,
    runs: Sequence[RunFigures] = (),
    stages: Sequence[StageFigures] = (),
    doors: Sequence[DoorFigures] = (),
    overloads: Sequence[Overload] = (),
) -> VenueResult:
    """The result with its verdict."""
    said = [] if verdict.is_equal else presentation.lines(verdict)
    where = f"{platform.system()} {platform.machine()}"
    return VenueResult(
        platform.python_version(),
        where,
        limits,
        list(runs),
        list(stages),
        list(doors),
        list(overloads),
        private.venue.restarts(),
        verdict.is_equal,
        verdict.counts,
        said,
    )


def show(result: VenueResult, arguments: argparse.Namespace) -> None:
    """Print the result, and leave it in the folder that was asked for."""
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        name = time.strftime("venue-%Y%m%d-%H%M%S")
        (arguments.output / f"{name}.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(result))
        )
        for number, figures in enumerate(result.runs, 1):
            (arguments.output / f"{name}-{number}.svg").write_text(plot.of_run(figures))
    if arguments.json:
        print(msgspec.json.encode(result).decode())
        return
    lines = [f"Python {result.python}, {result.machine}"]
    lines += report_text.limit_lines(result.limits) if result.limits else []
    for figures in result.runs:
        lines += ["", *report_text.run_lines(figures, result.limits)]
        lines += (
            ["", *report_text.second_lines(figures)]
            if getattr(arguments, "every_second", False)
            else []
        )
    for alone in result.stages:
        lines += ["", *report_text.stage_lines(alone)]
    for door in result.doors:
        lines += ["", *report_text.door_lines(door)]
    for found in result.overloads:
        lines += ["", *report_text.overload_lines(found)]
    print("\n".join([*lines, "", *verdict_lines(result)]))
    sys.stdout.flush()


def verdict_lines(result: VenueResult) -> list[str]:
    """What the audit found, and what ended by itself."""
    compared = ", ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in result.compared.items()
    )
    said = [
        f"audit: {'EQUAL' if result.is_equal else 'NOT EQUAL'}; compared {compared}",
        *result.differences,
    ]
    return said + [
        f"{name} ended {count} times by itself" for name, count in result.restarts.items()
    ]
