"""`./venue bench settle | record | match`: one stage alone, from a queue that was filled while it
stood still.
"""

import argparse
import logging
import re
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing

from venue_launcher.errors import CommandError
from venue_launcher.quiescence import engine_state
from venue_launcher.terminal import report, silent
from venue_trials.bench import usage
from venue_trials.bench.positions import Positions
from venue_trials.bench.private_venue import MOST_FROZEN_S, PrivateVenue, start_private
from venue_trials.bench.run_figures import StageFigures, parts_since
from venue_trials.bench.venue import add_venue_arguments, conclude, limits_of, show
from venue_trials.bench.workbench import NotDrained, Workbench
from venue_trials.load.mixes import MIXES
from venue_trials.load.sending import send

_SIZE = 100
_LOOK_EVERY_S = 0.05
_FILL_PATIENCE_S, _DONE_PATIENCE_S = 20.0, 40.0
_PARTS = {"match": "engine", "settle": "clearinghouse", "record": "feed"}
_SERVICES = ("gateway", "engine", "clearinghouse", "feed")
_MATCHED = re.compile(r'^venue_stream_position\{stream="order_log\.0"\} (\S+)$', re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is prepared, and for how many."""
    parser.add_argument(
        "--commands", type=int, default=40_000, help="how many wait for the stage (default 40000)"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=3_000.0,
        help="a second, while they are prepared (default 3000)",
    )
    parser.add_argument(
        "--mix", choices=list(MIXES), default="trades", help="what they are (default trades)"
    )
    add_venue_arguments(parser)


def run_stage(stage: str, arguments: argparse.Namespace) -> int:
    """0 when the audit found nothing."""
    if not 0 < arguments.commands <= arguments.rate * (MOST_FROZEN_S - _FILL_PATIENCE_S):
        most = f"a stage stands still for {MOST_FROZEN_S:.0f} s at most"
        raise CommandError(f"{most}: give fewer commands or a higher rate")
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    say = silent if arguments.json else report
    with start_private(say, backlog_allowed=arguments.commands) as private:
        limits = limits_of(private, arguments, _SIZE, say)
        bench = Workbench(
            private, arguments.accounts, arguments.securities, 0, say, arguments.connections
        )
        bench.fill(arguments.resting)
        say(
            f"{arguments.commands:,} commands while the {_PARTS[stage]} stands still, then it "
            "alone …"
        )
        figures = _measure(stage, bench, arguments)
        bench.drain()
        say("audit …")
        result = conclude(limits, private, bench.audit(), stages=[figures])
    show(result, arguments)
    return 0 if result.passed else 1


def _measure(stage: str, bench: Workbench, arguments: argparse.Namespace) -> StageFigures:
    """Fill the stage's queue while it stands still; then it alone goes on, and the others stand
    still.
    """
    private, part = bench.private, _PARTS[stage]
    seconds = arguments.commands / arguments.rate
    plan = bench.plan("http-lists", MIXES[arguments.mix], arguments.rate, _SIZE, seconds, 0.0)
    with (
        closing(Positions(private.venue)) as positions,
        ExitStack() as filling,
        ExitStack() as alone,
    ):
        before = positions.read()
        filling.enter_context(private.frozen(part))
        load = send(plan)
        logged, events = _wait_for_queue(stage, private, positions)
        alone.enter_context(private.frozen(*(name for name in _SERVICES if name != part)))
        reported = positions.read().reported
        used = usage.measure(private.roots(), with_memory=False)
        started = time.monotonic()
        filling.close()
        _until(
            lambda: _is_done(stage, private, positions, logged, events, reported),
            _DONE_PATIENCE_S,
            f"the {part}",
        )
        took_s = time.monotonic() - started
        parts = parts_since(
            used, usage.measure(private.roots(), with_memory=True), took_s, logged - before.logged
        )
    after = bench.drain_and_read()
    commands, gained = logged - before.logged, after.settled_events - before.settled_events
    return StageFigures(
        stage,
        plan.mix.name,
        commands,
        gained,
        took_s,
        commands / took_s,
        gained / took_s,
        parts,
        load,
    )


def _wait_for_queue(stage: str, private: PrivateVenue, positions: Positions) -> tuple[int, int]:
    """The newest command and event (0 for `match`), once everything is on its way to the stage.

    A batch of events is published to both its readers at once: what one has recorded, waits for the
    other.
    """
    logged = positions.read().logged
    if stage == "match":
        return logged, 0
    _until(lambda: _matched(private) >= logged, _FILL_PATIENCE_S, "the engine")
    events = int(engine_state(private.venue)["event_position"])
    if stage == "settle":
        _until(lambda: positions.read().recorded_events >= events, _FILL_PATIENCE_S, "the feed")
    else:
        _until(
            lambda: positions.read().settled_events >= events, _FILL_PATIENCE_S, "the clearinghouse"
        )
    return logged, events


def _is_done(
    stage: str, private: PrivateVenue, positions: Positions, logged: int, events: int, reported: int
) -> bool:
    if stage == "match":
        return _matched(private) >= logged
    now = positions.read()
    if stage == "settle":
        return now.settled_events >= events
    return now.recorded_events >= events and now.recorded_reports >= reported


def _matched(private: PrivateVenue) -> int:
    """The newest command that the engine has matched, by its metrics."""
    with urllib.request.urlopen(f"{private.venue.engine_url}/metrics", timeout=10) as answer:
        found = _MATCHED.search(answer.read().decode())
    return int(float(found.group(1))) if found else 0


def _until(is_so: Callable[[], bool], patience_s: float, who: str) -> None:
    deadline = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline:
            raise NotDrained(
                f"{who} did not come to the end within {patience_s:.0f} s: give fewer commands"
            )
        time.sleep(_LOOK_EVERY_S)
