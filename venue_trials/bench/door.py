"""`./venue bench door`: the gateway alone, while the other services stand still; with and without
commit.
"""

import argparse
import logging
import math
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from venue_launcher import ports, processes
from venue_launcher.errors import CommandError
from venue_launcher.supervisor import SupervisedService
from venue_launcher.terminal import report, silent
from venue_trials.bench import strangers, usage
from venue_trials.bench.private_venue import MOST_FROZEN_S, PrivateVenue, start_private
from venue_trials.bench.run_figures import DoorFigures, parts_since
from venue_trials.bench.usage import Usage
from venue_trials.bench.venue import add_venue_arguments, conclude, limits_of, show
from venue_trials.bench.workbench import Workbench
from venue_trials.load import arguments as load
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import LoadPlan
from venue_trials.load.sending import send

_OTHERS = ("engine", "clearinghouse", "feed")
_READY_S = 30.0
_VHOST = "bench_memory"
_LAST_ANSWERS_S = 8.0
_GATEWAY = "order_entry_gateway"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is sent, and to which door."""
    load.add_load_arguments(parser)
    parser.add_argument(
        "--memory", action="store_true", help="only with the order log in memory, without a commit"
    )
    parser.add_argument(
        "--commit",
        action="store_true",
        help="only with the commit (default: first with, then without)",
    )
    parser.add_argument(
        "--strangers",
        type=int,
        default=0,
        metavar="N",
        help="instead: a client who trades, beside N strangers of each kind",
    )
    add_venue_arguments(parser)
    parser.set_defaults(seconds=20.0, warm_up=3.0)


def run(arguments: argparse.Namespace) -> int:
    """0 when the audit found nothing."""
    load.check(arguments)
    if arguments.strangers:
        return strangers.run(arguments)
    if arguments.rate == load.MAX:
        raise CommandError(
            "give a rate: what the whole way holds is found by ./venue bench venue --rate max"
        )
    if arguments.seconds + arguments.warm_up > MOST_FROZEN_S - _LAST_ANSWERS_S:
        raise CommandError(
            f"the other services stand still for {MOST_FROZEN_S:.0f} s at most: give fewer seconds"
        )
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    say = silent if arguments.json else report
    doors, rate = [], float(arguments.rate)
    with start_private(
        say, backlog_allowed=math.ceil(rate * (arguments.seconds + arguments.warm_up))
    ) as private:
        limits = limits_of(private, arguments, arguments.size, say)
        bench = Workbench(
            private, arguments.accounts, arguments.securities, 0, say, arguments.connections
        )
        bench.fill(arguments.resting)
        plan = bench.plan(
            arguments.case,
            MIXES[arguments.mix],
            rate,
            arguments.size,
            arguments.seconds,
            arguments.warm_up,
        )
        plan = msgspec.structs.replace(plan, patience_s=_LAST_ANSWERS_S)
        if not arguments.memory:
            say("the door with its commit …")
            with private.frozen(*_OTHERS):
                doors.append(_measure(plan, private.roots(), is_committed=True))
            bench.drain()
        if not arguments.commit:
            say("the door with its order log in memory …")
            with memory_door(private) as (url, pid):
                changed = msgspec.structs.replace(plan, gateway_url=url, name=f"{plan.name}m")
                doors.append(
                    _measure(changed, private.roots() | {"gateway": pid}, is_committed=False)
                )
        say("audit …")
        result = conclude(limits, private, bench.audit(), doors=doors)
    show(result, arguments)
    return 0 if result.passed else 1


def _measure(plan: LoadPlan, roots: dict[str, int], is_committed: bool) -> DoorFigures:
    before = usage.measure(roots, with_memory=False)
    sent = send(plan)
    after = usage.measure(roots, with_memory=True)
    # The generator has ended; it says itself what it used.
    before |= {"load generator": Usage(0.0, 0.0)}
    after |= {"load generator": Usage(sent.processor_s, 0.0)}
    parts = parts_since(before, after, plan.seconds, sent.accepted)
    return DoorFigures(plan.case, plan.mix.name, plan.rate, is_committed, plan.seconds, parts, sent)


@contextmanager
def memory_door(private: PrivateVenue) -> Iterator[tuple[str, int]]:
    """URL and pid of a second gateway that commits nothing.

    It has a virtual host of its own, which nobody reads.
    """
    venue = private.venue
    assert venue.supervisor is not None and venue.infrastructure is not None
    real = {service.name: service for service in venue.supervisor.services}[_GATEWAY]
    with ExitStack() as stack:
        broker_url = venue.infrastructure.create_vhost(_VHOST)
        stack.callback(venue.infrastructure.delete_vhost, _VHOST)
        port, holder = ports.claim_free(int(real.url.rpartition(":")[2]) + 1)
        stack.enter_context(holder)
        url = f"http://127.0.0.1:{port}"
        variables = {**real.environment, "VENUE_BROKER_URL": broker_url, "VENUE_PORT": str(port)}
        command = [sys.executable, "-P", "-m", "venue_trials.bench.gateway_in_memory"]
        log = venue.state_dir / "logs" / "memory_door.log"
        process = processes.start(
            command, log=log, death_signal=signal.SIGKILL, environment=variables
        )
        stack.callback(processes.stop, process, signal.SIGTERM, _READY_S)
        door = SupervisedService("memory door", command, variables, url, venue.state_dir)
        if not processes.wait_until(lambda: door.readiness() is None, _READY_S):
            raise CommandError(
                f"the gateway without a commit does not start: it waits for {door.readiness()}"
            )
        yield url, process.pid
