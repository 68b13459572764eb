"""A whole venue: infrastructure, databases, services; started, attached to, stopped."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from venue_launcher import (
    processes,
    service_ports,
    services,
    state_file,
    state_folder,
)
from venue_launcher.errors import VenueError
from venue_launcher.server_watch import ServerWatch
from venue_launcher.services import ServiceDefinition
from venue_launcher.signals import shielded
from venue_launcher.state_file import ServerStatus, VenueState
from venue_launcher.supervisor import FAILURES_ALLOWED, SupervisedService, Supervisor
from venue_launcher.terminal import Report, paint, report

if TYPE_CHECKING:
    from migrations.provision import Provisioned
    from venue_launcher.infrastructure.finder import Infrastructure
    from venue_launcher.instance_folder import InstanceFolder

READY_PATIENCE_S = 90.0


@dataclass(frozen=True)
class Hosts:
    """The addresses to listen on."""

    public: str = "127.0.0.1"
    """Of order entry and market data, which players need."""
    administration: str = "127.0.0.1"
    """Of the clearinghouse and the engine, which have the keys to everything."""

    def of(self, service: ServiceDefinition) -> str:
        """The address that a service listens on."""
        return self.public if service.is_public else self.administration


LOCAL = Hosts()
NO_SETTINGS: Mapping[str, str] = {}


class VenueRunsElsewhere(VenueError):
    """Another launcher works in this state folder."""


class VenueNotRunning(VenueError):
    """No venue runs in this state folder."""


@dataclass(frozen=True)
class RunningVenue:
    """Where a ready venue answers, and the rights to administer it.

    Attached ones have no supervisor.
    """

    state_dir: Path
    instance: str
    gateway_url: str
    engine_url: str
    clearinghouse_url: str
    market_data_url: str
    admin_key: str
    postgres_url: str
    broker_url: str
    owner_clearing_url: str
    owner_market_url: str
    how: str
    infrastructure: "Infrastructure | None" = None
    supervisor: Supervisor | None = None

    def check(self) -> None:
        """Raises ServiceFailed once the venue's supervisor gave up."""
        if self.supervisor:
            self.supervisor.check()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for `timeout_s`, or for ever; raises ServiceFailed at once when the supervisor gives
        up.
        """
        if self.supervisor:
            self.supervisor.wait(timeout_s)

    def restarts(self) -> dict[str, int]:
        """How often each service ended by itself, of those that did; needs a supervisor."""
        watched = self.supervisor.services if self.supervisor else []
        return {service.name: service.restarts for service in watched if service.restarts}

    def unready(self) -> dict[str, str]:
        """What each service that is not ready waits for; needs a supervisor."""
        watched = self.supervisor.services if self.supervisor else []
        found = {service.name: service.readiness() for service in watched}
        return {name: reason for name, reason in found.items() if reason is not None}

    def pids(self) -> dict[str, int]:
        """Pid by service, of those that run now; needs a supervisor."""
        watched = self.supervisor.services if self.supervisor else []
        return {service.name: pid for service in watched if (pid := service.pid)}


def attach(state_dir: Path) -> RunningVenue:
    """The venue that another launcher runs in this state folder. Raises VenueNotRunning."""
    known = state_file.read(state_dir)
    if known is None:
        raise VenueNotRunning("the venue is not running: start it with ./venue up")
    if not known.is_ready:
        raise VenueNotRunning("the venue is still starting: try again in a few seconds")
    return _venue(state_dir, known)


def describe(venue: RunningVenue) -> str:
    """For people: addresses, servers, the key, and what bots elsewhere need; several lines."""
    rows = {
        "market data": f"{venue.market_data_url}  (web page, REST, WebSocket)",
        "order entry": f"{venue.gateway_url}/v1/orders",
        "accounts": f"{venue.clearinghouse_url}/v1/clients",
        "live books": f"{venue.engine_url}/v1/books/AAPL",
        "stands on": venue.how,
        "logs": str(venue.state_dir / "logs"),
        "admin key": str(venue.state_dir / "admin.key"),
        "for bots": f"export VENUE_ORDER_ENTRY_URL={venue.gateway_url} "
        f"VENUE_MARKET_DATA_URL={venue.market_data_url}",
    }
    return "\n".join(f"  {paint(f'{name:<12}', 'bold')} {value}" for name, value in rows.items())


@contextmanager
def start(
    way: str | None = None,
    state_dir: Path | None = None,
    report: Report = report,
    hosts: Hosts = LOCAL,
    failures_allowed: int = FAILURES_ALLOWED,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> Iterator[RunningVenue]:
    """A started venue, stopped in order when the block ends, however it ends.

    `settings` go to the services, before those of the environment.

    Raises VenueRunsElsewhere, InfrastructureError, InstanceError, ServiceFailed. Use it from the
    main thread.
    """
    # Half a second of libraries (Alembic, SQLAlchemy, drivers) that those who attach never need.
    from venue_launcher.infrastructure import finder
    from venue_launcher.instance_folder import InstanceFolder

    folder = state_dir or state_folder.choose()
    with ExitStack() as stack:
        stack.enter_context(_sole_launcher(folder))
        leftovers = processes.end_leftovers(folder / "processes")
        if leftovers:
            report(f"ended what an earlier start left running: {', '.join(leftovers)}")
        found = finder.start(way, folder, report)
        stack.callback(_stop, "servers", found.stop, report if found.servers else None)
        instance = InstanceFolder(folder, found.postgres.place)
        report("migrating the databases …")
        databases = instance.provision(found)
        known = msgspec.structs.replace(
            _own_state(),
            instance=databases.instance,
            how=found.how,
            postgres_url=found.postgres_url,
            broker_url=found.broker_url,
            owner_clearing_url=databases.owner_clearing_url,
            owner_market_url=databases.owner_market_url,
            admin_key=instance.administrator_key(databases),
            addresses=_addresses(folder, hosts, stack, report),
        )
        watched = _watched(
            folder, instance, databases, found.broker_url, hosts, known.addresses, settings
        )
        state = StateKeeper(folder, known, watched)
        servers = ServerWatch(found.servers, state.set_servers, report)
        state.set_servers(servers.statuses)
        noted = partial(_note_restart, folder, state, report)
        supervisor = Supervisor(watched, noted, failures_allowed, state.write_if_behind)
        report("starting the services …")
        stack.callback(servers.stop)
        stack.callback(_stop, "services", supervisor.stop, report)
        servers.start()
        supervisor.start()
        supervisor.wait_ready(READY_PATIENCE_S)
        state.set_ready()
        yield _venue(folder, known, found, supervisor)


def _note_restart(folder: Path, state: "StateKeeper", report: Report, name: str) -> None:
    log_file = folder / "logs" / f"{name}.log"
    report(f"{name} ended and was started again; its log is {log_file}")
    state.write()


@contextmanager
def attach_or_start(
    way: str | None = None, state_dir: Path | None = None, report: Report = report
) -> Iterator[RunningVenue]:
    """The venue that already runs in this state folder, left running; else one of our own."""
    folder = state_dir or state_folder.choose()
    try:
        venue = attach(folder)
    except VenueNotRunning:
        with start(way, folder, report) as venue:
            yield venue
        return
    report(f"taking the venue that already runs ({venue.how})")
    yield venue


@contextmanager
def _sole_launcher(folder: Path) -> Iterator[None]:
    """The right to run a venue in this folder, and state.json saying so.

    Raises VenueRunsElsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "venue.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise VenueRunsElsewhere(
                f"a venue already runs in {folder}: see ./venue status, or stop it with ./venue "
                "down"
            ) from taken
        # `down` finds us by it even when state.json is lost.
        (folder / "venue.lock").write_text(f"{os.getpid()}\n")
        state_file.write(folder, _own_state())
        try:
            yield
        finally:
            state_file.clear(folder)


def locked_by(folder: Path) -> int | None:
    """Pid of the launcher that runs a venue in this folder, whatever state.json says; 0 if one
    does that does not tell its pid.
    """
    try:
        with (folder / "venue.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = lock.read().strip()
                return int(text) if text.isdigit() else 0
    except OSError:
        pass
    return None


def _own_state() -> VenueState:
    identity = processes.identify(os.getpid())
    if identity is None:
        raise RuntimeError("this process is not in the process table")
    return VenueState(identity.pid, identity.started)


def _watched(
    folder: Path,
    instance: "InstanceFolder",
    databases: "Provisioned",
    broker_url: str,
    hosts: Hosts,
    addresses: dict[str, str],
    settings: Mapping[str, str],
) -> list[SupervisedService]:
    """The services, not started, in the order they are stopped."""
    watched = []
    for service in services.STOP_ORDER:
        url = addresses[service.name]
        cache = instance.service_folder(service.name)
        port = int(url.rpartition(":")[2])
        host = hosts.of(service)
        variables = services.environment(
            service, databases, broker_url, host, port, cache, os.environ | settings
        )
        watched.append(
            SupervisedService(service.name, services.command(service), variables, url, folder)
        )
    return watched


def _stop(what: str, stop: Callable[[], None], report: Report | None) -> None:
    with shielded():
        if report:
            report(f"stopping the {what} …")
        stop()


def _addresses(folder: Path, hosts: Hosts, stack: ExitStack, report: Report) -> dict[str, str]:
    """Base URL by service; the ports are ours until the stack ends."""
    listening = {service.name: hosts.of(service) for service in services.STOP_ORDER}
    chosen = service_ports.choose(folder, listening, stack, report)
    return {
        name: f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{chosen[name]}"
        for name, host in listening.items()
    }


class StateKeeper:
    """Keeps state.json true while the venue runs; from any thread.

    A full disk stops nothing: what could not be written is written once there is room.
    """

    def __init__(self, folder: Path, known: VenueState, watched: list[SupervisedService]) -> None:
        self._folder = folder
        self._known = known
        self._watched = watched
        self._is_behind = False
        self._lock = threading.Lock()

    def set_servers(self, servers: dict[str, ServerStatus]) -> None:
        """How our own servers are now."""
        self._known = msgspec.structs.replace(self._known, servers=servers)
        self.write()

    def set_ready(self) -> None:
        """All services are ready."""
        self._known = msgspec.structs.replace(self._known, is_ready=True)
        self.write()

    def write(self) -> None:
        """Write what is known, and the pids of now."""
        pids = {service.name: pid for service in self._watched if (pid := service.pid)}
        restarts = {service.name: service.restarts for service in self._watched}
        with self._lock:
            now = msgspec.structs.replace(self._known, pids=pids, restarts=restarts)
            try:
                state_file.write(self._folder, now)
                self._is_behind = False
            except OSError:
                self._is_behind = True

    def write_if_behind(self) -> None:
        """Write again what failed, or what somebody removed or emptied while the venue runs."""
        if self._is_behind or state_file.read(self._folder) is None:
            self.write()


def _venue(
    folder: Path,
    known: VenueState,
    found: "Infrastructure | None" = None,
    supervisor: Supervisor | None = None,
) -> RunningVenue:
    return RunningVenue(
        state_dir=folder,
        instance=known.instance,
        gateway_url=known.addresses[services.GATEWAY.name],
        engine_url=known.addresses[services.ENGINE.name],
        clearinghouse_url=known.addresses[services.CLEARINGHOUSE.name],
        market_data_url=known.addresses[services.FEED.name],
        admin_key=state_file.administrator_key(folder, known),
        postgres_url=known.postgres_url,
        broker_url=known.broker_url,
        owner_clearing_url=known.owner_clearing_url,
        owner_market_url=known.owner_market_url,
        how=known.how,
        infrastructure=found,
        supervisor=supervisor,
    )
