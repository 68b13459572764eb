"""How far each stage is, twice a second: two short statements and a walk through /proc. No stage
waits for it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, NamedTuple

import psycopg2

from venue_launcher.running_venue import RunningVenue
from venue_protocol import streams
from venue_trials.bench import usage
from venue_trials.bench.usage import Usage

_EVERY_S = 0.5
_MEMORY_EVERY = 4
_CLEARING = (
    "SELECT (SELECT last_sequence FROM order_log_heads WHERE shard = 0),"
    " coalesce((SELECT sequence FROM stream_positions WHERE reader = 'clearinghouse' AND stream = "
    "%s), 0),"
    " (SELECT last_report_sequence FROM settlement_heads)"
)
_MARKET = (
    "SELECT coalesce(max(sequence) FILTER (WHERE stream = %s), 0),"
    " coalesce(max(sequence) FILTER (WHERE stream = %s), 0) FROM stream_positions"
)


class Position(NamedTuple):
    """One look. All numbers are of shard 0."""

    time_ns: int
    logged: int
    """Commands in the order log."""
    settled_events: int
    reported: int
    """Settlement reports written."""
    recorded_events: int
    recorded_reports: int
    usage: Mapping[str, Usage]


class Positions:
    """Reads positions over connections of its own."""

    def __init__(self, venue: RunningVenue) -> None:
        self._clearing = _reader(venue.owner_clearing_url)
        self._market = _reader(venue.owner_market_url)

    def read(self, used: Mapping[str, Usage] | None = None) -> Position:
        """Where all stages are now."""
        events = streams.events(0)
        logged, settled, reported = _one(self._clearing, _CLEARING, (events,))
        recorded, recorded_reports = _one(self._market, _MARKET, (events, streams.SETTLEMENTS))
        return Position(
            time.monotonic_ns(), logged, settled, reported, recorded, recorded_reports, used or {}
        )

    def close(self) -> None:
        """Close the connections."""
        self._clearing.close()
        self._market.close()


class Sampler:
    """Positions and usage, twice a second in a thread, while the block runs."""

    def __init__(self, venue: RunningVenue, roots: Callable[[], Mapping[str, int]]) -> None:
        self._venue = venue
        self._roots = roots
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.taken: list[Position] = []
        self.memory_mb: dict[str, float] = {}
        """The most that was seen of each part."""

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(Positions(self._venue)) as positions:
            self._look(positions, with_memory=True)
            while not self._stopping.wait(_EVERY_S):
                self._look(positions, with_memory=len(self.taken) % _MEMORY_EVERY == 0)
            self._look(positions, with_memory=False)

    def _look(self, positions: Positions, with_memory: bool) -> None:
        used = usage.measure(self._roots(), with_memory)
        self.taken.append(positions.read(used))
        for name, part in used.items() if with_memory else ():
            self.memory_mb[name] = max(self.memory_mb.get(name, 0.0), part.memory_mb)


def _reader(url: str) -> Any:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


def _one(connection: Any, statement: str, parameters: tuple[str, ...]) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row: tuple[int, ...] = cursor.fetchone()
    return row
