"""`./venue simulate`: thousands of seeded schedules of faults on the whole venue, in one
process.
"""

import argparse

from venue_launcher.terminal import report

_DEFAULT_MINUTES = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--seed, --schedules, --minutes, --steps, --without."""
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule (default 1)")
    parser.add_argument(
        "--schedules", type=int, help="how many (default: as many as --minutes allow)"
    )
    parser.add_argument(
        "--minutes", type=float, help="how long at most (default 1, without --schedules)"
    )
    parser.add_argument("--steps", type=int, help="disturbed steps in a schedule (default 200)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="KIND", help="leave out a kind of fault"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when every promise was kept, 1 when one was broken: then seed and trace are printed."""
    from venue_simulation import campaign
    from venue_simulation.faults import KINDS
    from venue_simulation.plan import Plan

    unknown = [kind for kind in arguments.without if kind not in KINDS]
    if unknown:
        report(f"no kind of fault {unknown[0]!r}: there are {', '.join(KINDS)}")
        return 2
    minutes = arguments.minutes
    if minutes is None and arguments.schedules is None:
        minutes = _DEFAULT_MINUTES
    plan = Plan(
        arguments.seed, arguments.steps or Plan.steps, frozenset(KINDS) - set(arguments.without)
    )
    result = campaign.run(
        plan, arguments.schedules, None if minutes is None else minutes * 60, report
    )
    print(campaign.describe(result))
    return 0 if result.failure is None else 1
