"""The place of a benchmark: a private venue with servers of its own and the default settings, gone
at the end.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from venue_launcher import running_venue, temporary_site
from venue_launcher.running_venue import RunningVenue
from venue_launcher.terminal import Report

_SHOWN = {
    "order_entry_gateway": "gateway",
    "matching_engine": "engine",
    "clearinghouse": "clearinghouse",
    "market_data_feed": "feed",
}
MOST_FROZEN_S = 40.0


@dataclass
class BenchSite:
    """A running venue on servers that nobody else uses."""

    venue: RunningVenue

    def roots(self) -> dict[str, int]:
        """The first process of each part."""
        found = {_SHOWN[name]: pid for name, pid in self.venue.pids().items()}
        assert self.venue.infrastructure is not None
        servers = {
            "broker": self.venue.infrastructure.broker.server,
            "database": self.venue.infrastructure.postgres.server,
        }
        return found | {
            name: server.pid for name, server in servers.items() if server and server.pid
        }

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """These services (by their parts' names) stand still within the block: all their threads,
        at one moment.

        Not longer than MOST_FROZEN_S: their masters and the broker would take them for dead.
        """
        groups = [self.roots()[name] for name in names]
        try:
            for group in groups:
                os.killpg(group, signal.SIGSTOP)
            yield
        finally:
            for group in groups:
                os.killpg(group, signal.SIGCONT)

    def restarts(self) -> dict[str, int]:
        """How often each service ended by itself; nothing when none did."""
        watched = self.venue.supervisor.services if self.venue.supervisor else []
        return {service.name: service.restarts for service in watched if service.restarts}

    def unready(self) -> dict[str, str]:
        """What each service that is not ready waits for."""
        watched = self.venue.supervisor.services if self.venue.supervisor else []
        found = {service.name: service.readiness() for service in watched}
        return {name: reason for name, reason in found.items() if reason is not None}


@contextmanager
def open_site(report: Report, backlog_allowed: int | None = None) -> Iterator[BenchSite]:
    """A started venue in a temporary folder. Raises Unavailable, InfrastructureError. From the main
    thread only.

    `backlog_allowed`: the door lets so much wait, for a benchmark in which services stand still.
    """
    way = temporary_site.way()
    with ExitStack() as stack:
        if backlog_allowed is not None:
            stack.enter_context(_set("VENUE_BACKLOG_ALLOWED", str(backlog_allowed)))
        folder = stack.enter_context(temporary_site.temporary_folder("venue-bench-"))
        yield BenchSite(stack.enter_context(running_venue.start(way, folder, report)))


@contextmanager
def _set(name: str, value: str) -> Iterator[None]:
    """An environment variable for the services that are started inside."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
