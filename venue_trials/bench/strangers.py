"""`./venue bench door --strangers N`: a client who trades, with and without N strangers of each
kind who hold connections without a key.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from venue_launcher.errors import CommandError
from venue_launcher.state_folder import CHECKOUT
from venue_launcher.terminal import report, silent
from venue_trials.bench.private_venue import start_private
from venue_trials.bench.strangers_process import KINDS
from venue_trials.bench.workbench import Workbench
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import LoadResult
from venue_trials.load.sending import send

_MODULE = "venue_trials.bench.strangers_process"
_END_S = 10.0
NOBODY = "nobody"


class StrangersFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a client saw beside strangers of one kind."""

    kind: str
    strangers: int
    accepted: int
    refused: dict[str, int]
    lost_connections: int
    p50_ms: float | None
    p99_ms: float | None
    p99_change: float | None
    """Against the run with nobody beside it; 0.2 is a fifth longer."""


def run(arguments: argparse.Namespace) -> int:
    """0 when no request of the client was refused or lost."""
    if arguments.rate == "max":
        raise CommandError("give a rate")
    say = silent if arguments.json else report
    figures: list[StrangersFigures] = []
    with start_private(say) as private:
        bench = Workbench(
            private, arguments.accounts, arguments.securities, 0, say, arguments.connections
        )
        bench.fill(arguments.resting)
        for kind in (NOBODY, *KINDS):
            plan = bench.plan(
                "http-single",
                MIXES[arguments.mix],
                float(arguments.rate),
                1,
                arguments.seconds,
                arguments.warm_up,
            )
            say(f"a client beside {arguments.strangers:,} strangers: {kind} …")
            with holding(private.venue.gateway_url, kind, arguments.strangers):
                sent = send(plan)
            figures.append(_figures(kind, arguments.strangers, sent, figures))
            bench.drain()
    print(_as_json(figures) if arguments.json else "\n".join(lines(figures)))
    return 0 if all(not each.refused and not each.lost_connections for each in figures) else 1


@contextmanager
def holding(url: str, kind: str, count: int) -> Iterator[None]:
    """So many strangers of a kind hold connections inside the block."""
    if kind == NOBODY:
        yield
        return
    command = [sys.executable, "-P", "-m", _MODULE, url, kind, str(count)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(_END_S)


def _figures(
    kind: str, strangers: int, sent: LoadResult, before: list[StrangersFigures]
) -> StrangersFigures:
    alone_ms = before[0].p99_ms if before else None
    p99_ms = sent.acknowledged.p99_ms
    change = p99_ms / alone_ms - 1 if alone_ms and p99_ms else None
    return StrangersFigures(
        kind=kind,
        strangers=0 if kind == NOBODY else strangers,
        accepted=sent.accepted,
        refused=sent.refused,
        lost_connections=sent.lost_connections,
        p50_ms=sent.acknowledged.p50_ms,
        p99_ms=p99_ms,
        p99_change=change,
    )


def lines(figures: list[StrangersFigures]) -> Iterator[str]:
    """A table of all kinds."""
    yield f"{'strangers':>9}  {'kind':15}  {'accepted':>8}  {'p50':>9}  {'p99':>9}  p99 changes by"
    for each in figures:
        change = "" if each.p99_change is None else f"{100 * each.p99_change:+.0f} %"
        yield (
            f"{each.strangers:>9,}  {each.kind:15}  {each.accepted:>8,}  {_ms(each.p50_ms):>9}  "
            f"{_ms(each.p99_ms):>9}  {change}"
        )
        if each.refused or each.lost_connections:
            yield f"           refused {each.refused}, {each.lost_connections} connections lost"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


def _as_json(figures: list[StrangersFigures]) -> str:
    return json.dumps(msgspec.to_builtins(figures))
