"""The private venue of a benchmark: own servers and the default settings, gone at the end."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from venue_launcher import running_venue, temporary_venue
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
class PrivateVenue:
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


@contextmanager
def start_private(report: Report, backlog_allowed: int | None = None) -> Iterator[PrivateVenue]:
    """A started venue in a temporary folder. Raises Unavailable, InfrastructureError. From the main
    thread only.

    `backlog_allowed`: the door lets so much wait, for a benchmark in which services stand still.
    """
    settings = {} if backlog_allowed is None else {"VENUE_BACKLOG_ALLOWED": str(backlog_allowed)}
    way = temporary_venue.way()
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_venue.folder("venue-bench-"))
        venue = running_venue.start(way, folder, report, settings=settings)
        yield PrivateVenue(stack.enter_context(venue))
