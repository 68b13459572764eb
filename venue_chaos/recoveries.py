"""How long it takes until a part, and then the whole way of an order, works again after a fault."""

import os
import statistics
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from venue_chaos.guarded_thread import GuardedThread, failures
from venue_chaos.probe import Probe
from venue_chaos.site import SERVICES, Site

_PATIENCE_S = 120.0
_LOOK_EVERY_S = 0.02
_AWAITED = ("RabbitMQ", "Postgres", "all services")
"""Targets that every service has to wait for."""


@dataclass(frozen=True)
class Recovery:
    """Of one fault. Seconds from its end (a kill ends at once)."""

    kind: str
    target: str
    ready_s: float | None
    """Until /readyz of all services concerned answered 200; None: not within the patience."""
    through_s: float | None
    """Until the first trade sent after the fault was settled and reported."""
    processor_s: float | None
    """Processor time that the processes of a service had used by then: what a recovery costs on any
    machine, however busy. None where several services had to recover.
    """
    is_ready_clean: bool
    """Whether nothing that these services wait for was away meanwhile, so that `ready_s` is theirs
    alone.
    """
    is_through_clean: bool
    """Whether nothing at all was away until then."""


@dataclass
class Outage:
    """A time during which something was deliberately away, monotonic seconds."""

    target: str
    began: float
    ended: float = float("inf")

    def end(self) -> None:
        """It is over."""
        self.ended = time.monotonic()


class Outages:
    """When something was deliberately away, so that a recovery can be told from waiting for
    something else.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Outage] = []

    def begin(self, target: str) -> "Outage":
        """An outage of `target` begins."""
        outage = Outage(target, time.monotonic())
        with self._lock:
            self._found.append(outage)
        return outage

    def others_touch(
        self, own: "Outage", since: float, until: float, targets: Sequence[str] = ()
    ) -> bool:
        """Whether another outage (of one of these targets, where given) overlaps the time from
        `since` to `until`.
        """
        with self._lock:
            return any(
                outage is not own
                and outage.began < until
                and outage.ended > since
                and (not targets or outage.target in targets)
                for outage in self._found
            )


class Recoveries:
    """Watches each recovery in a thread of its own."""

    def __init__(self, site: Site, probe: Probe, outages: Outages) -> None:
        self.found: list[Recovery] = []
        self._site = site
        self._probe = probe
        self._outages = outages
        self._threads: list[GuardedThread] = []

    def watch(
        self, kind: str, target: str, services: Sequence[str], since: float, outage: Outage
    ) -> None:
        """Begin to watch these services recover from a fault that ended at `since` (monotonic
        seconds).
        """
        thread = GuardedThread(
            f"the recovery from {kind} of {target}",
            lambda: self._watch(kind, target, services, since, outage),
        )
        self._threads.append(thread)
        thread.start()

    def join(self) -> list[str]:
        """Wait for those still under way; the failures of watches that died."""
        for thread in self._threads:
            thread.join()
        return failures(self._threads)

    def _watch(
        self, kind: str, target: str, services: Sequence[str], since: float, outage: Outage
    ) -> None:
        deadline = since + _PATIENCE_S
        ready = _when(lambda: self._are_ready(services), deadline)
        processor_s = processor_seconds(self._site.pid(target)) if target in SERVICES else None
        through = _when(lambda: self._probe.first_through(since) is not None, deadline)
        first = self._probe.first_through(since)
        awaited = (*services, *_AWAITED)
        self.found.append(
            Recovery(
                kind,
                target,
                None if ready is None else ready - since,
                None if first is None else first - since,
                processor_s,
                not self._outages.others_touch(outage, since, ready or deadline, awaited),
                not self._outages.others_touch(outage, since, first or through or deadline),
            )
        )

    def _are_ready(self, services: Iterable[str]) -> bool:
        return all(self._site.service(name).readiness() is None for name in services)


def median_and_worst(seconds: Sequence[float]) -> tuple[float, float]:
    """Of at least one value."""
    return statistics.median(seconds), max(seconds)


def processor_seconds(pid: int | None) -> float | None:
    """Processor time of a process and its children so far; None where /proc does not tell."""
    if pid is None:
        return None
    try:
        family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        ticks = 0
        for member in family:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    except OSError:
        return None
    return ticks / os.sysconf("SC_CLK_TCK")


def _when(is_so: object, deadline: float) -> float | None:
    assert callable(is_so)
    while not is_so():
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic()
