"""Faults of the database: killed, restarted, frozen, cut off, out of connections, out of disk."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psycopg2

from venue_chaos.site import Site
from venue_chaos.timetable import PlannedFault
from venue_launcher.processes import wait_until

_OURS = "backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname <> 'postgres'"
_MOST_CONNECTIONS = 1_000
_TURN_S = 0.1
_LAUNCHER_PATIENCE_S = 60.0
"""The launcher looks five times a second and pauses at most ten seconds between two starts."""


def kill_postgres(site: Site, fault: PlannedFault) -> None:
    """SIGKILL to the postmaster; started again after a while."""
    site.postgres.kill()
    site.pause(fault.seconds)
    site.postgres.start()


def restart_postgres(site: Site, fault: PlannedFault) -> None:
    """Fast shutdown; started again after a while."""
    site.postgres.stop()
    site.pause(fault.seconds)
    site.postgres.start()


def kill_backend(site: Site, fault: PlannedFault) -> None:
    """SIGKILL to one server process of a service: Postgres drops every session and recovers."""
    with _superuser(site) as cursor:
        cursor.execute(f"SELECT pid FROM pg_stat_activity WHERE {_OURS} ORDER BY pid")
        pids = [pid for (pid,) in cursor]
    if pids:
        _signal(Random(fault.dice).choice(pids), signal.SIGKILL)
        restart_if_ended(site)


def terminate_connections(site: Site, fault: PlannedFault) -> None:
    """Every session of the services is ended by the administrator."""
    with _superuser(site) as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OURS}")


def exhaust_connections(site: Site, fault: PlannedFault) -> None:
    """Strangers take every connection the server has, after the services lost theirs."""
    with ExitStack() as taken:
        terminate_connections(site, fault)
        for _ in range(_MOST_CONNECTIONS):
            try:
                taken.enter_context(closing(psycopg2.connect(site.postgres.url, connect_timeout=3)))
            except psycopg2.OperationalError:
                break
        site.pause(fault.seconds)


def freeze_postgres(site: Site, fault: PlannedFault) -> None:
    """SIGSTOP to all its processes, SIGCONT after a while: open connections, no answers."""
    postmaster = site.postgres.pid
    if postmaster is None:
        return
    _signal(postmaster, signal.SIGSTOP)
    stopped = [postmaster, *_children(postmaster)]
    for pid in stopped:
        _signal(pid, signal.SIGSTOP)
    try:
        site.pause(fault.seconds)
    finally:
        for pid in reversed(stopped):
            _signal(pid, signal.SIGCONT)


def fill_postgres_disk(site: Site, fault: PlannedFault) -> None:
    """Not a byte is left on its disk for a while. It may end for that: then it is started again."""
    assert site.disk is not None
    try:
        site.disk.fill()
        site.pause(fault.seconds)
    finally:
        site.disk.free()
        restart_if_ended(site)


def kill_postgres_unasked(site: Site, fault: PlannedFault) -> None:
    """SIGKILL behind the launcher's back: it must notice, and start its own server again."""
    pid = site.postgres.pid
    if pid is None:
        return
    _signal(pid, signal.SIGKILL)
    wait_until(lambda: site.postgres.pid not in (None, pid), _LAUNCHER_PATIENCE_S)
    restart_if_ended(site)


def restart_if_ended(site: Site) -> None:
    """Wait until the server answers: if it ended by itself, the launcher starts it again.

    A fault that broke off half way may have left it stopped; nobody else starts it then.
    """
    deadline = time.monotonic() + _LAUNCHER_PATIENCE_S
    while not site.postgres.is_ready():
        if site.postgres.pid is None and time.monotonic() > deadline:
            site.postgres.start()
        time.sleep(_TURN_S)


@contextmanager
def _superuser(site: Site) -> Iterator[Any]:
    """A cursor of the server's owner, once the server has recovered from earlier faults."""
    restart_if_ended(site)
    with closing(psycopg2.connect(site.postgres.url, connect_timeout=5)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
