"""The place of a campaign: a private venue with servers of its own, and handles on its parts."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg2

from venue_chaos.limited_disk import LimitedDisk, mounted
from venue_launcher import running_venue, services, temporary_venue
from venue_launcher.infrastructure.postgres_server import PrivatePostgres
from venue_launcher.infrastructure.rabbitmq_server import PrivateRabbitMQ
from venue_launcher.running_venue import RunningVenue
from venue_launcher.supervisor import SupervisedService
from venue_launcher.terminal import Report

SERVICES = tuple(service.name for service in services.STOP_ORDER)
GATEWAY = "order_entry_gateway"
CLEARINGHOUSE = services.CLEARINGHOUSE.name
_RESTARTS_ALLOWED = 100_000
"""A campaign kills more often than any supervisor should forgive."""
DISK_MEGABYTES = 1_536
_BROKER_MEGABYTES = 512
"""More than the 50 MB that RabbitMQ wants free, and than what its queues hold in a campaign."""
_VENUE_MEGABYTES = 256
"""Logs and the engine's snapshots of a campaign."""
_SKEWED_PORT = 18_001
"""Where the port of a second gateway is looked for: none of the services' own."""
_WAL_SETTINGS = ("max_wal_size = '256MB'", "min_wal_size = '80MB'")


@dataclass
class Site:
    """A running venue whose servers may be killed one by one."""

    venue: RunningVenue
    postgres: PrivatePostgres
    broker: PrivateRabbitMQ
    disk: LimitedDisk | None
    """The disk of Postgres; None where this user may not mount one, and so with the other two."""
    broker_disk: LimitedDisk | None = None
    venue_disk: LimitedDisk | None = None
    """Of the venue's own folder: logs, state, snapshots."""
    skewed_port: int = _SKEWED_PORT
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set at the end of the campaign: every outage ends at once."""
    ended: Counter[str] = field(default_factory=Counter)
    """How often each service was ended on purpose."""

    def service(self, name: str) -> SupervisedService:
        """A service by name; KeyError if there is none."""
        assert self.venue.supervisor is not None
        return {service.name: service for service in self.venue.supervisor.services}[name]

    def pid(self, name: str) -> int | None:
        """Pid of a service's first process, which leads its group; None while it does not run."""
        return self.service(name).pid

    def wait_for_pid(self, name: str, patience_s: float = 30.0) -> int | None:
        """The pid once the service runs (the supervisor may be between two starts)."""
        deadline = time.monotonic() + patience_s
        while (pid := self.pid(name)) is None and time.monotonic() < deadline:
            self.stopping.wait(0.02)
        return pid

    def pause(self, seconds: float) -> None:
        """Let time pass inside an outage; less when the campaign ends."""
        self.stopping.wait(seconds)


@contextmanager
def open_site(report: Report, disk_megabytes: int = DISK_MEGABYTES) -> Iterator[Site]:
    """A started venue in a temporary folder.

    Raises Unavailable, InfrastructureError. From the main thread only.
    """
    way = temporary_venue.way()
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_venue.folder("venue-chaos-"))
        # The folder first: what is mounted at it would hide the other two.
        venue_disk = stack.enter_context(mounted(folder, _VENUE_MEGABYTES, "0711"))
        disk = stack.enter_context(mounted(folder / way / "postgres", disk_megabytes))
        broker_disk = stack.enter_context(mounted(folder / way / "rabbitmq", _BROKER_MEGABYTES))
        venue = stack.enter_context(
            running_venue.start(way, folder, report, failures_allowed=_RESTARTS_ALLOWED)
        )
        site = _site(venue, disk)
        site.broker_disk, site.venue_disk = broker_disk, venue_disk
        yield site


def _site(venue: RunningVenue, disk: LimitedDisk | None) -> Site:
    assert venue.infrastructure is not None
    postgres, broker = venue.infrastructure.postgres.server, venue.infrastructure.broker.server
    assert isinstance(postgres, PrivatePostgres) and isinstance(broker, PrivateRabbitMQ)
    _keep_wal_small(postgres.url)
    return Site(venue, postgres, broker, disk)


def _keep_wal_small(url: str) -> None:
    """Keep the log of Postgres from filling the limited disk: the campaign alone does that."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for setting in _WAL_SETTINGS:
                cursor.execute(f"ALTER SYSTEM SET {setting}")
            cursor.execute("SELECT pg_reload_conf()")
    finally:
        connection.close()
