"""Starts the watcher, and reads what it left."""

import os
import subprocess
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from venue_launcher.errors import VenueError
from venue_trials.bench import watcher
from venue_trials.bench.watcher import WatchPlan
from venue_trials.load.sending import ROOT

_END_S = 30.0


class WatcherFailed(VenueError):
    """The watcher ended with an error: what was measured is not whole."""


@contextmanager
def watching(plan: WatchPlan) -> Iterator[int]:
    """The pid of a watcher that watches within the block; its files are there after it."""
    path = Path(plan.folder) / "watch.json"
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(plan))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "venue_trials.bench.watcher", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    try:
        if process.stdout.readline().strip() != b"ready":
            raise WatcherFailed(f"the watcher does not start: {_said(process)}")
        yield process.pid
        said = _said(process)
        if process.returncode:
            raise WatcherFailed(f"the watcher ended with {process.returncode}: {said}")
    finally:
        process.kill()
        process.wait()


def _said(process: "subprocess.Popen[bytes]") -> str:
    """Let it end, and take its last words."""
    _, said = process.communicate(timeout=_END_S)
    return said.decode(errors="replace").strip()[-500:]


class Timeline:
    """When a rising number had passed a value."""

    def __init__(self, times_ns: "array[int]", numbers: "array[int]") -> None:
        self.times_ns = times_ns
        self.numbers = numbers

    def when(self, number: int) -> int | None:
        """The first time at which the number was reached; None if it never was."""
        place = bisect_left(self.numbers, number)
        return self.times_ns[place] if place < len(self.numbers) else None

    def at(self, time_ns: int) -> int:
        """The number known at a time; 0 before the first."""
        place = bisect_left(self.times_ns, time_ns + 1)
        return self.numbers[place - 1] if place else 0

    def newest(self, number: int) -> int:
        """The time of the last entry that is not above the number; 0 before the first."""
        place = bisect_left(self.numbers, number + 1)
        return self.times_ns[place - 1] if place else 0


@dataclass(frozen=True)
class Watched:
    """What a watcher saw, as timelines."""

    matched: Timeline
    """Log sequences."""
    events: Timeline
    settled: Timeline
    """Trade ids."""
    aggressors: dict[int, int]
    """Trade by the order that made it: its last one."""
    seen: list[tuple[int, int, int]]
    """Time, order and kind of what came on private streams."""
    log_of_event: Timeline
    """Log sequences by event: its "times" are log sequences."""


def read(folder: Path) -> Watched:
    """What a watcher left in `folder`."""
    matched, trades, settled, seen = (_columns(folder, name) for name in watcher.WIDTHS)
    return Watched(
        Timeline(matched[0], matched[1]),
        Timeline(matched[0], matched[2]),
        Timeline(settled[0], settled[1]),
        dict(zip(trades[1], trades[0], strict=True)),
        list(zip(*seen, strict=True)),
        Timeline(matched[1], matched[2]),
    )


def _columns(folder: Path, name: str) -> list["array[int]"]:
    numbers: array[int] = array("q")
    numbers.frombytes((folder / name).read_bytes())
    width = watcher.WIDTHS[name]
    return [numbers[column::width] for column in range(width)]
