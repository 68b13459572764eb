"""Finds or starts Postgres and RabbitMQ, in the order of `WAYS`, and says which it took and
where.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from venue_launcher.infrastructure import given, local, memory, private
from venue_launcher.infrastructure.found import FoundBroker, FoundPostgres, PrivateServer
from venue_launcher.infrastructure.memory import Remembered
from venue_launcher.infrastructure.ways import WAYS, InfrastructureError, Unavailable, no_way
from venue_launcher.state_folder import instance_name
from venue_launcher.terminal import Report

Found = TypeVar("Found", FoundPostgres, FoundBroker)


@dataclass(frozen=True)
class Infrastructure:
    """A Postgres and a RabbitMQ that are ours to use until `stop`."""

    postgres: FoundPostgres
    broker: FoundBroker

    @property
    def postgres_url(self) -> str:
        """libpq URL of a role that may make databases and roles."""
        return self.postgres.url

    @property
    def broker_url(self) -> str:
        """AMQP URL with the venue's virtual host."""
        return self.broker.url

    @property
    def how(self) -> str:
        """Which way each was found, and where."""
        return (
            f"Postgres: {self.postgres.way} ({self.postgres.place}); RabbitMQ: {self.broker.way} "
            f"({self.broker.place})"
        )

    @property
    def servers(self) -> list[PrivateServer]:
        """Those that we started and must stop."""
        return [
            server for server in (self.broker.server, self.postgres.server) if server is not None
        ]

    def create_vhost(self, name: str) -> str:
        """Make a virtual host; its AMQP URL. Raises Unavailable."""
        return self.broker.vhosts.create(name)

    def delete_vhost(self, name: str) -> None:
        """Remove a virtual host with all its queues. Raises Unavailable."""
        self.broker.vhosts.delete(name)

    def delete_own_vhost(self) -> None:
        """Remove the virtual host that was made for us on a broker that others use too.

        Raises Unavailable.
        """
        if self.broker.server is None and self.broker.is_vhost_ours:
            self.delete_vhost(unquote(urlsplit(self.broker.url).path.removeprefix("/")))

    def stop(self) -> None:
        """Stop what we started; what others run stays."""
        for server in self.servers:
            server.stop()


def place_key(postgres_place: str) -> str:
    """Names what belongs to the data at one place: messages, snapshots and keys of other data must
    not meet them.
    """
    return hashlib.sha256(postgres_place.encode()).hexdigest()[:6]


def start(
    way: str | None, state_dir: Path, report: Report, environment: Mapping[str, str] = os.environ
) -> Infrastructure:
    """Postgres and RabbitMQ, by `way` alone or by the first that works; private data live in
    `state_dir`.

    A second start takes what the first took. Raises InfrastructureError with what to do.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    known = memory.recall(state_dir)
    postgres = _postgres(way, state_dir, report, environment, known)
    vhost = f"{instance_name(state_dir)}_{place_key(postgres.place)}"
    try:
        broker = _broker(way, state_dir, vhost, report, environment, known)
    except BaseException:
        if postgres.server:
            postgres.server.stop()
        raise
    memory.remember(state_dir, Remembered(postgres.way, postgres.place, broker.way))
    found = Infrastructure(postgres, broker)
    for part in found.how.split("; "):
        report(part)
    return found


def _postgres(
    way: str | None,
    state_dir: Path,
    report: Report,
    environment: Mapping[str, str],
    known: Remembered | None,
) -> FoundPostgres:
    tries: dict[str, Callable[[], FoundPostgres]] = {
        "given": lambda: given.find_postgres(environment),
        "local": lambda: local.find_postgres(environment),
        "private": lambda: private.find_postgres("private", state_dir, report),
        "download": lambda: private.find_postgres("download", state_dir, report),
    }
    if way is None and known and not environment.get(given.POSTGRES):
        return _known_postgres(known, tries[known.postgres_way])
    return _first("Postgres", tries, [way] if way else list(WAYS), report)


def _known_postgres(known: Remembered, find: Callable[[], FoundPostgres]) -> FoundPostgres:
    """The Postgres that holds the venue's data: an empty one elsewhere would look like a loss."""
    try:
        return find()
    except Unavailable as reason:
        raise InfrastructureError(
            f"this venue's data are in the {known.postgres_way} Postgres at "
            f"{known.postgres_place}, which can't be had "
            f"({reason}): start it, or choose another place for a new venue with --infrastructure"
        ) from reason


def _broker(
    way: str | None,
    state_dir: Path,
    vhost: str,
    report: Report,
    environment: Mapping[str, str],
    known: Remembered | None,
) -> FoundBroker:
    tries: dict[str, Callable[[], FoundBroker]] = {
        "given": lambda: given.find_broker(environment),
        "local": lambda: local.find_broker(environment, vhost),
        "private": lambda: private.find_broker("private", state_dir, vhost, report),
        "download": lambda: private.find_broker("download", state_dir, vhost, report),
    }
    ways = [way] if way else list(WAYS)
    if way is None and known:
        ways = [
            "given",
            *(candidate for candidate in [known.broker_way, *WAYS] if candidate != "given"),
        ]
    return _first("RabbitMQ", tries, list(dict.fromkeys(ways)), report)


def _first(
    server: str, tries: Mapping[str, Callable[[], Found]], ways: list[str], report: Report
) -> Found:
    """What the first way that works finds. Raises InfrastructureError with every reason."""
    reasons: dict[str, str] = {}
    for way in ways:
        try:
            return tries[way]()
        except Unavailable as reason:
            reasons[way] = str(reason)
            if way != "given" and len(ways) > 1:
                report(f"{server}: not {way}: {reason}")
    raise no_way(server, reasons)
