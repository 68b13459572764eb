"""Faults of the services: killed at any instruction, told to end, frozen."""

import os
import signal
import time
from collections.abc import Callable

from venue_chaos.site import SERVICES, Site
from venue_chaos.timetable import PlannedFault
from venue_launcher.processes import wait_until
from venue_launcher.supervisor import SupervisedService

_NOTICE_S = 30.0


def kill_service(site: Site, fault: PlannedFault) -> None:
    """SIGKILL to all processes of one service."""
    service = site.service(fault.target)
    before = service.restarts
    _kill(site, fault.target)
    _await_restart(site, service, before)


def kill_in_cycle(site: Site, fault: PlannedFault) -> None:
    """SIGKILL to the clearinghouse while a settlement cycle is about to be settled, is being
    settled, or was: a cycle ends with each full second (`--net 1`).
    """
    to_second = -time.time() % 1.0
    site.pause(to_second + fault.seconds)
    kill_service(site, fault)


def kill_all_services(site: Site, fault: PlannedFault) -> None:
    """SIGKILL to all services at once, as when the power goes."""
    for name in SERVICES:
        _kill(site, name)


def terminate_service(site: Site, fault: PlannedFault) -> None:
    """SIGTERM: it ends in order, and is started again."""
    pid = site.wait_for_pid(fault.target)
    service = site.service(fault.target)
    before = service.restarts
    if pid:
        site.ended[fault.target] += 1
        _signal(pid, signal.SIGTERM)
    _await_restart(site, service, before)


def freeze_service(site: Site, fault: PlannedFault) -> None:
    """SIGSTOP to all its processes, SIGCONT after a while: others' connections time out."""
    pid = _signal_group(site, fault.target, signal.SIGSTOP)
    try:
        site.pause(fault.seconds)
    finally:
        if pid is not None and site.pid(fault.target) == pid:
            _to_group(pid, signal.SIGCONT)


def fill_venue_disk(site: Site, fault: PlannedFault) -> None:
    """Not a byte is left for logs, state file and snapshots; services go on without them."""
    assert site.venue_disk is not None
    try:
        site.venue_disk.fill()
        site.pause(fault.seconds)
    finally:
        site.venue_disk.free()


def _kill(site: Site, name: str) -> None:
    if _signal_group(site, name, signal.SIGKILL) is not None:
        site.ended[name] += 1


def _signal_group(site: Site, name: str, number: int) -> int | None:
    pid = site.wait_for_pid(name)
    if pid is not None:
        _to_group(pid, number)
    return pid


def _await_restart(site: Site, service: SupervisedService, before: int) -> None:
    """Wait until the supervisor has noticed, so that readiness is asked of the new process."""
    wait_until(
        lambda: service.restarts > before or site.stopping.is_set(), _NOTICE_S, pause_s=0.005
    )


def _signal(pid: int, number: int) -> None:
    _quietly(lambda: os.kill(pid, number))


def _to_group(group: int, number: int) -> None:
    _quietly(lambda: os.killpg(group, number))


def _quietly(send: Callable[[], None]) -> None:
    """Whoever is gone already needs no signal."""
    try:
        send()
    except ProcessLookupError:
        return
