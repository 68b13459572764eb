"""`./venue load`: send orders to the venue that runs, at a rate that does not wait for it."""

import argparse
import secrets
import sys
from contextlib import AbstractContextManager, nullcontext

import msgspec

from venue_launcher import running_venue, state_folder
from venue_launcher.admin_client import Administration
from venue_launcher.terminal import Report, report, silent
from venue_trials.load import report_text, search
from venue_trials.load.accounts import enroll, list_securities
from venue_trials.load.arguments import MAX, add_load_arguments, check
from venue_trials.load.mirror import mirror
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import Account, LoadPlan, LoadResult
from venue_trials.load.sending import send

_MOST_CONNECTIONS = 200
_PROBE_S, _PROBE_WARM_UP_S = 5.0, 1.0
_TRIES, _LOWER = 4, 0.9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is sent, how fast, by whom."""
    add_load_arguments(parser)
    parser.add_argument(
        "--accounts", type=int, default=200, help="clients that send, made for it (default 200)"
    )
    parser.add_argument(
        "--securities", type=int, default=5, help="securities, made for it (default 5)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is sent (default 1)")
    parser.add_argument(
        "--dry", action="store_true", help="against a mirror: what the generator can do by itself"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """0 when all that was due was sent and answered."""
    check(arguments)
    say = silent if arguments.json else report
    name = f"L{secrets.token_hex(3)}"
    door: AbstractContextManager[str]
    if arguments.dry:
        names = [f"{name}.{number}" for number in range(1, arguments.accounts + 1)]
        accounts, door = (
            [Account(each, "no-key", ["MIRROR.1"]) for each in names],
            mirror(_size(arguments)),
        )
    else:
        venue = running_venue.attach(state_folder.choose())
        administration = Administration(venue)
        say(
            f"making {arguments.accounts:,} accounts and {arguments.securities:,} securities, "
            f"{name} …"
        )
        listed = list_securities(administration, name, arguments.securities)
        accounts, door = (
            enroll(administration, name, arguments.accounts, listed, say),
            nullcontext(venue.gateway_url),
        )
    with door as url:
        plan, result = _send(_plan(arguments, name, url, accounts), arguments, say)
    if arguments.json:
        print(msgspec.json.encode(result).decode())
    else:
        print("\n".join(report_text.lines(plan, result)))
        if arguments.dry:
            ceiling = result.answered / max(1e-9, result.processor_s)
            print(f"the generator itself: {ceiling:,.0f} commands for each second of one core")
    sys.stdout.flush()
    return 1 if result.unsent or result.unanswered else 0


def _size(arguments: argparse.Namespace) -> int:
    return 1 if arguments.case == "http-single" else int(arguments.size)


def _plan(arguments: argparse.Namespace, name: str, url: str, accounts: list[Account]) -> LoadPlan:
    return LoadPlan(
        gateway_url=url,
        case=arguments.case,
        mix=MIXES[arguments.mix],
        rate=search.FIRST_RATE if arguments.rate == MAX else float(arguments.rate),
        list_size=_size(arguments),
        seconds=arguments.seconds + arguments.warm_up,
        warm_up_s=arguments.warm_up,
        accounts=accounts,
        connections=_MOST_CONNECTIONS,
        name=name,
        seed=arguments.seed,
    )


def _send(
    plan: LoadPlan, arguments: argparse.Namespace, say: Report
) -> tuple[LoadPlan, LoadResult]:
    """The load that was sent, and its result."""
    if arguments.rate == MAX:
        plan = msgspec.structs.replace(plan, rate=_highest(plan, say))
    for number in range(_TRIES):
        say(f"{plan.case}: {plan.rate:,.0f} commands/s for {plan.seconds:.0f} s …")
        result = send(plan)
        if arguments.rate != MAX or search.is_answered(result, plan.seconds, plan.rate):
            break
        # What held for seconds need not hold for long.
        if number + 1 < _TRIES:
            plan = msgspec.structs.replace(plan, rate=plan.rate * _LOWER, name=f"{plan.name}x")
    return plan, result


def _highest(plan: LoadPlan, say: Report) -> float:
    """The highest rate that the door holds."""
    tries = 0

    def holds(rate: float) -> bool:
        nonlocal tries
        tries += 1
        seconds = _PROBE_S + _PROBE_WARM_UP_S
        probe = msgspec.structs.replace(
            plan,
            rate=rate,
            seconds=seconds,
            warm_up_s=_PROBE_WARM_UP_S,
            name=f"{plan.name}-{tries}",
        )
        is_answered = search.is_answered(send(probe), seconds, rate)
        say(f"{plan.case}: {rate:,.0f} commands/s {'held' if is_answered else 'did not hold'}")
        return is_answered

    return search.search(holds) or search.LEAST_RATE
