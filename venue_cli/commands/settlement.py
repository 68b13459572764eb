"""`./venue settlement`: gross or net, cycles, and what is open."""

import argparse

from venue_launcher import running_venue, state_folder
from venue_launcher.settlement_client import (
    SettlementClient,
    cycle_table,
    mode_lines,
    obligation_table,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """status, gross, net, cycle, cycles, obligations."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("status", help="how the venue settles now")
    actions.add_parser("gross", help="each trade at once; what is open settles in a last cycle")
    net = actions.add_parser("net", help="netted in cycles: ./venue settlement net --every 5")
    net.add_argument("--every", type=int, metavar="SECONDS", help="a cycle so often")
    net.add_argument("--at-close", action="store_true", help="a cycle when the venue closes")
    net.add_argument(
        "--lag", type=int, default=0, metavar="CYCLES", help="1: due a cycle later (T+1)"
    )
    actions.add_parser("cycle", help="end the present cycle now")
    cycles = actions.add_parser("cycles", help="the newest cycles, and what netting saved")
    cycles.add_argument("--limit", type=int, default=20)
    obligations = actions.add_parser("obligations", help="what is due, of one client or of all")
    obligations.add_argument("client", nargs="?")


def run(arguments: argparse.Namespace) -> int:
    """One action."""
    settlement = SettlementClient(running_venue.attach(state_folder.choose()))
    if arguments.action == "gross":
        settlement.set("gross")
    elif arguments.action == "net":
        settlement.set("net", arguments.every, arguments.at_close, arguments.lag)
    elif arguments.action == "cycle":
        settlement.start_cycle()
    elif arguments.action == "cycles":
        print(cycle_table(settlement.cycles(arguments.limit)))
        return 0
    elif arguments.action == "obligations":
        print(obligation_table(settlement.obligations(arguments.client)))
        return 0
    print(*mode_lines(settlement.modes()), sep="\n")
    return 0
