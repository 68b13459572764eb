"""`./venue replay orders FILE`: recorded order flow through the real door, compared with what was
recorded.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from matching_engine.domain.engine import MatchingEngine
from trading_bots.refusal import VenueUnavailable
from venue_launcher.errors import CommandError
from venue_launcher.running_venue import RunningVenue
from venue_protocol.money import format_e4
from venue_trials.recorded_flow import consensus, stage
from venue_trials.recorded_flow.consensus import plan_consensus
from venue_trials.recorded_flow.lobster import plan_lobster
from venue_trials.recorded_flow.outcome import Outcome, read_outcome
from venue_trials.recorded_flow.progress_bar import ProgressBar
from venue_trials.recorded_flow.rehearsal import Engine
from venue_trials.recorded_flow.sender import ReplayError, send
from venue_trials.recorded_flow.steps import Format, Levels, Plan, Progress, RecordingError
from venue_trials.recorded_flow.text_files import read_lines

_PLANNERS: dict[Format, Callable[[Path, Engine, int, int | None], Plan]] = {
    "consensus": plan_consensus,
    "lobster": plan_lobster,
}
_LEVELS_SHOWN = 5
_LOBSTER_LINE = re.compile(r"[0-9.]+,[1-7],-?[0-9]+,[0-9]+,-?[0-9]+,-?1(,.*)?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and how to play it."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a matching-consensus .orders.csv[.xz] or LOBSTER file",
    )
    parser.add_argument(
        "--security", help="name to list it under; must be new (default: a fresh name)"
    )
    parser.add_argument(
        "--format", choices=list(_PLANNERS), help="default: told by the file's first line"
    )
    parser.add_argument(
        "--speed",
        choices=["max", "recorded"],
        default="max",
        help="as fast as it goes, or at the recorded times",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N messages")
    parser.add_argument(
        "--accounts",
        type=int,
        default=2,
        metavar="N",
        help="spread the orders over N accounts (default 2)",
    )


def read_plan(arguments: argparse.Namespace) -> Plan:
    """What the file asks for, before any venue is needed.

    CommandError says what is wrong with the file.
    """
    try:
        return make_plan(arguments.file, arguments.format, arguments.limit, arguments.accounts)
    except OSError as error:
        raise CommandError(f"{arguments.file} can't be read: {error.strerror or error}") from error
    except (RecordingError, ValueError) as error:
        raise CommandError(str(error)) from error


def run(venue: RunningVenue, plan: Plan, arguments: argparse.Namespace) -> int:
    """Play the plan; 0 when the venue's fills and final book are the expected ones, else 1."""
    bar = ProgressBar("replay")
    try:
        outcome = play(venue, plan, arguments.security, arguments.speed == "recorded", bar.show)
    except (RecordingError, ReplayError, VenueUnavailable, ValueError, OSError) as error:
        raise CommandError(str(error)) from error
    finally:
        bar.close()
    _print(outcome)
    return 1 if outcome.difference() else 0


def make_plan(
    file: Path, file_format: Format | None = None, limit: int | None = None, accounts: int = 2
) -> Plan:
    """The file's messages as steps, rehearsed in a private matching engine.

    RecordingError: what is wrong with it.
    """
    if limit is not None and limit < 1:
        raise RecordingError("--limit must be at least 1")
    return _PLANNERS[file_format or told_format(file)](file, MatchingEngine(), accounts, limit)


def play(
    venue: RunningVenue,
    plan: Plan,
    security: str | None = None,
    at_recorded_speed: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Outcome:
    """Send the plan to the venue through its public API, on a security and accounts of its own;
    what came of it.
    """
    if at_recorded_speed and any(step.at_s is None for step in plan.steps):
        raise RecordingError("this file has no times: replay it with --speed max")
    security = security or stage.new_security_name()
    clients = stage.set_up(venue, plan, security)
    try:
        sent = send(plan.steps, security, clients, progress, at_recorded_speed)
        return read_outcome(plan, sent, security, clients)
    finally:
        for client in clients.values():
            client.close()


def told_format(file: Path) -> Format:
    """The format that the first line tells; RecordingError if it tells none."""
    first_line = next((line for _, line in read_lines(file)), "")
    if first_line == ",".join(consensus.HEADER):
        return "consensus"
    if _LOBSTER_LINE.fullmatch(first_line):
        return "lobster"
    raise RecordingError(
        f"{file.name} is no recording of orders: it begins neither as a matching-consensus file"
        f" ({','.join(consensus.HEADER)}) nor as a LOBSTER message file (six numbers a line)"
    )


def _print(outcome: Outcome) -> None:
    plan, sent = outcome.plan, outcome.sent
    rate = len(plan.steps) / sent.seconds if sent.seconds else 0.0
    print(f"{plan.messages} messages as {len(plan.steps)} commands on {outcome.security}")
    print(
        f"{sent.seconds:.1f} s, {rate:,.0f} commands/s in {sent.requests} requests, one after the "
        "other"
    )
    if sent.refused:
        print(
            "refused as expected: "
            f"{', '.join(f'{count} {code}' for code, count in sent.refused.items())}"
        )
    if plan.out_of_turn:
        print(f"{plan.out_of_turn} recorded executions out of turn, played as reductions")
    if plan.left_out:
        print(f"{plan.left_out} messages that fit no order, made good from the recorded book")
    print(f"fills: {len(outcome.fills)}, expected {len(plan.expected_fills)} (from {plan.source})")
    has_book = bool(outcome.levels.bids or outcome.levels.asks)
    print("final book, best levels:" if has_book else "final book: empty")
    if has_book:
        print("\n".join(_book_lines(outcome.levels)))
    print(verdict(outcome))


def verdict(outcome: Outcome) -> str:
    """Whether all is as expected, in a sentence."""
    difference = outcome.difference()
    if difference:
        return f"DIFFERENT: {difference}"
    if not outcome.fills:
        messages = outcome.plan.messages
        return (
            f"the final book is exactly the expected one; no order of these {messages} messages "
            "traded, as expected"
        )
    return "fills and final book are exactly the expected ones"


def _book_lines(levels: Levels) -> list[str]:
    asks = [
        f"  {'':>10} {'':>12}   {format_e4(price):>12} {size:>10}"
        for price, size in levels.asks[:_LEVELS_SHOWN]
    ]
    bids = [f"  {size:>10} {format_e4(price):>12}" for price, size in levels.bids[:_LEVELS_SHOWN]]
    return [
        f"  {'bid shares':>10} {'bid':>12}   {'ask':>12} {'ask shares':>10}",
        *reversed(asks),
        *bids,
    ]
