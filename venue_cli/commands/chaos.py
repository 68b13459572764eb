"""`./venue chaos`: trade while everything is killed, and prove that nothing was lost."""

import argparse
import logging

from venue_launcher.terminal import report

_SECONDS_A_FAULT = 6.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--minutes, --seed, --faults, --only, --open-orders, --list, --net, --json."""
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="how long faults happen (default 5)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of the faults and of the traders' dice (default 1)"
    )
    parser.add_argument("--faults", type=int, help="how many faults (default: one in 6 seconds)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="KIND",
        help="only this kind; may be repeated",
    )
    parser.add_argument(
        "--open-orders",
        type=int,
        default=0,
        help="orders that rest in the books before the first fault (default 0)",
    )
    parser.add_argument(
        "--list",
        type=int,
        default=6,
        metavar="N",
        help="orders in a trader's longest request (default 6, most 1000)",
    )
    parser.add_argument(
        "--net", type=int, metavar="SECONDS", help="settle net, in cycles of so many seconds"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """0 when the proof found nothing, 1 at any violation."""
    from venue_chaos import campaign, faults, figures

    # The repeater of messages loses its connections by design.
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    known = [*faults.FAULTS, faults.DUPLICATED]
    unknown = [kind for kind in arguments.only if kind not in known]
    if (
        unknown
        or arguments.minutes <= 0
        or (arguments.faults or 0) < 0
        or not 1 <= arguments.list <= 1000
    ):
        report(
            f"no kind of fault {unknown[0]!r}: there are {', '.join(known)}"
            if unknown
            else "there is nothing to do"
        )
        return 2
    seconds = arguments.minutes * 60
    count = arguments.faults if arguments.faults is not None else round(seconds / _SECONDS_A_FAULT)
    plan = campaign.Plan(
        arguments.seed,
        seconds,
        count,
        most_listed=arguments.list,
        kinds=tuple(arguments.only),
        open_orders=arguments.open_orders,
        net_every_s=arguments.net,
    )
    outcome = campaign.run(plan, report)
    print(figures.as_json(outcome) if arguments.json else figures.for_people(outcome))
    return 1 if outcome.violations else 0
