"""`./venue bench soak`: the same load for an hour, in windows: whether latency, cost and memory
stay flat.

After each window it waits until all is settled and recorded, about a second: a backlog would show
as a longer drain.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import msgspec
import psycopg2

from venue_launcher.errors import CommandError
from venue_launcher.running_venue import RunningVenue
from venue_launcher.terminal import Report, report, silent, table
from venue_trials.bench import plot, report_text, venue
from venue_trials.bench.private_venue import start_private
from venue_trials.bench.run_figures import VENUE_PARTS, RunFigures
from venue_trials.bench.venue import VenueResult
from venue_trials.bench.workbench import Workbench
from venue_trials.load import arguments as load
from venue_trials.load.mixes import MIXES

_MINUTE_S, _GB = 60.0, 1e9
_TABLES = (
    "SELECT relname, n_live_tup, n_dead_tup, autovacuum_count, pg_total_relation_size(relid)"
    " FROM pg_stat_user_tables ORDER BY 5 DESC"
)


class StoredTable(msgspec.Struct, frozen=True):
    """One table as Postgres counts it; rows are its estimates."""

    database: str
    table: str
    live: int
    dead: int
    autovacuums: int
    size: int
    """Bytes, indexes included."""


class Window(msgspec.Struct, frozen=True):
    """One stretch of the soak, and what was stored at its end."""

    until_minute: float
    figures: RunFigures
    tables: list[StoredTable]


class SoakResult(msgspec.Struct, frozen=True):
    """All windows, in order, and the audit at the end."""

    windows: list[Window]
    audit_s: float
    venue: VenueResult


class Span(NamedTuple):
    """The same figures of the first and the last third of the windows, as medians."""

    first: float
    last: float

    @property
    def ratio(self) -> float:
        """Of the last to the first."""
        return self.last / self.first if self.first else 0.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long; else what one whole benchmark takes."""
    parser.add_argument("--minutes", type=float, default=60.0, help="how long in all (default 60)")
    parser.add_argument(
        "--window", type=float, default=5.0, metavar="MINUTES", help="of each look (default 5)"
    )
    load.add_load_arguments(parser)
    venue.add_venue_arguments(parser)
    parser.set_defaults(mix="trades", rate="2800")


def run(arguments: argparse.Namespace) -> int:
    """0 when the audit found nothing and nothing ended by itself."""
    load.check(arguments)
    if arguments.rate == load.MAX or not 0 < arguments.window <= arguments.minutes:
        raise CommandError("a soak takes a rate, and windows not longer than itself")
    if (
        abs(arguments.minutes / arguments.window - round(arguments.minutes / arguments.window))
        > 1e-9
    ):
        raise CommandError("a soak is a whole number of windows")
    logging.getLogger("service_runtime").setLevel(logging.CRITICAL)
    result = measure(arguments, silent if arguments.json else report)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        name = time.strftime("soak-%Y%m%d-%H%M%S")
        (arguments.output / f"{name}.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(result))
        )
        (arguments.output / f"{name}.svg").write_text(picture(result.windows))
    print(msgspec.json.encode(result).decode() if arguments.json else "\n".join(_lines(result)))
    sys.stdout.flush()
    return 0 if result.venue.passed else 1


def measure(arguments: argparse.Namespace, say: Report) -> SoakResult:
    """The windows of a venue that is made for them and gone afterwards."""
    windows: list[Window] = []
    count = round(arguments.minutes / arguments.window)
    with start_private(say) as private:
        limits = venue.limits_of(private, arguments, arguments.size, say)
        bench = Workbench(
            private, arguments.accounts, arguments.securities, 4, say, arguments.connections
        )
        bench.fill(arguments.resting)
        for number in range(1, count + 1):
            mix, seconds = MIXES[arguments.mix], arguments.window * _MINUTE_S
            plan = bench.plan(
                arguments.case, mix, float(arguments.rate), arguments.size, seconds, 0.0
            )
            window = Window(number * arguments.window, bench.measure(plan), _tables(private.venue))
            windows.append(window)
            say(" ".join(f"{name} {value}" for name, value in _row(window).items()))
        say("audit …")
        started_s = time.monotonic()
        verdict = bench.audit()
        return SoakResult(
            windows, time.monotonic() - started_s, venue.conclude(limits, private, verdict)
        )


def _tables(running: RunningVenue) -> list[StoredTable]:
    """All tables of both databases, the largest of each first."""
    found = []
    for database, url in (
        ("clearing", running.owner_clearing_url),
        ("market", running.owner_market_url),
    ):
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(_TABLES)
            found += [StoredTable(database, *row) for row in cursor.fetchall()]
    return found


def _row(window: Window) -> dict[str, str]:
    figures, tables = window.figures, window.tables
    memory = {
        name: f"{figures.parts[name].memory_mb:,.0f}"
        for name in VENUE_PARTS
        if name in figures.parts
    }
    return {
        "minute": f"{window.until_minute:g}",
        "orders": f"{_rows(tables, 'order_log') / 1e6:.2f}M",
        "accepted/s": f"{figures.accepted:,.0f}",
        "trades/s": f"{figures.trades_settled:,.0f}",
        "ack p50": _ms(figures.acknowledged.p50_ms),
        "ack p99": _ms(figures.acknowledged.p99_ms),
        "settled p50": _ms(figures.settled_after.p50_ms),
        "settled p99": _ms(figures.settled_after.p99_ms),
        "us/command": f"{figures.microseconds_a_command:.0f}",
        **{f"{name} MB": value for name, value in memory.items()},
        "disk GB": f"{sum(table.size for table in tables) / _GB:.2f}",
        "dead rows": f"{sum(table.dead for table in tables):,}",
    }


def _rows(tables: Sequence[StoredTable], name: str) -> int:
    return next((table.live for table in tables if table.table == name), 0)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def spans(windows: Sequence[Window]) -> Mapping[str, Span]:
    """What should stay flat, first third against last."""
    third = max(1, len(windows) // 3)
    first, last = windows[:third], windows[-third:]
    wanted = {
        "acknowledged p50 (ms)": lambda window: window.figures.acknowledged.p50_ms or 0.0,
        "acknowledged p99 (ms)": lambda window: window.figures.acknowledged.p99_ms or 0.0,
        "settled p99 (ms)": lambda window: window.figures.settled_after.p99_ms or 0.0,
        "processor time (us/command)": lambda window: window.figures.microseconds_a_command,
    }
    found = {
        name: Span(_median(map(of, first)), _median(map(of, last))) for name, of in wanted.items()
    }
    for part in (name for name in VENUE_PARTS if name in first[0].figures.parts):
        memory = [
            [window.figures.parts[part].memory_mb for window in those] for those in (first, last)
        ]
        found[f"memory of the {part} (MB)"] = Span(*map(_median, memory))
    return found


def picture(windows: Sequence[Window]) -> str:
    """Latencies and memory over the windows, as SVG."""
    figures, until = [window.figures for window in windows], f"{windows[-1].until_minute:g} min"
    latencies = {
        "acknowledged p50": [found.acknowledged.p50_ms or 0.0 for found in figures],
        "acknowledged p99": [found.acknowledged.p99_ms or 0.0 for found in figures],
        "settled p50": [found.settled_after.p50_ms or 0.0 for found in figures],
        "settled p99": [found.settled_after.p99_ms or 0.0 for found in figures],
    }
    memory = {
        name: [found.parts[name].memory_mb for found in figures]
        for name in VENUE_PARTS
        if name in figures[0].parts
    }
    title = f"{figures[0].case}, mix {figures[0].mix}, {figures[0].rate:,.0f} commands/s"
    return plot.svg(title, [plot.Chart("ms", latencies, until), plot.Chart("MB", memory, until)])


def _median(values: "map[float] | list[float]") -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _lines(result: SoakResult) -> list[str]:
    rows = [_row(window) for window in result.windows]
    lines = [f"Python {result.venue.python}, {result.venue.machine}, {os.cpu_count()} cores"]
    lines += report_text.limit_lines(result.venue.limits) if result.venue.limits else []
    lines += [
        "",
        table(rows, list(rows[0])),
        "",
        "first third, last third, ratio (medians of the windows)",
    ]
    lines += [
        f"{name:<34} {span.first:>10,.1f} {span.last:>10,.1f}  {span.ratio:.2f}"
        for name, span in spans(result.windows).items()
    ]
    tables = [
        {
            "table": f"{table.database}.{table.table}",
            "rows": f"{table.live:,}",
            "dead": f"{table.dead:,}",
            "autovacuums": f"{table.autovacuums:,}",
            "MB": f"{table.size / 1e6:,.0f}",
            "bytes a row": f"{table.size / max(1, table.live):,.0f}",
        }
        for table in result.windows[-1].tables
    ]
    lines += ["", table(tables, list(tables[0])), "", f"the audit took {result.audit_s:,.0f} s"]
    return lines + venue.verdict_lines(result.venue)
