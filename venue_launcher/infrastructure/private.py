"""Servers that we start ourselves, in folders of our own, from installed or unpacked programs."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from venue_launcher.infrastructure import binaries, download
from venue_launcher.infrastructure.accounts import may_pass, postgres_account, reachable_folder
from venue_launcher.infrastructure.found import FoundBroker, FoundPostgres
from venue_launcher.infrastructure.postgres_server import PrivatePostgres
from venue_launcher.infrastructure.rabbitmq_server import PrivateRabbitMQ
from venue_launcher.infrastructure.virtual_hosts import OwnNode
from venue_launcher.infrastructure.ways import OWN_WAYS, Unavailable
from venue_launcher.state_folder import checkout_hash
from venue_launcher.terminal import Report

Server = TypeVar("Server")


def postgres_server(way: str, state_dir: Path, report: Report) -> PrivatePostgres:
    """The private Postgres of `state_dir` (way "private" or "download"), not started.

    Raises Unavailable.
    """
    account = postgres_account()
    programs = (
        binaries.installed_postgres(account)
        if way == "private"
        else download.postgres(account, report)
    )
    name = f"{checkout_hash(state_dir)}-{way}-postgres"
    folder = reachable_folder(state_dir / way / "postgres", name, account)
    return PrivatePostgres(programs, folder, account, state_dir)


def rabbitmq_server(way: str, state_dir: Path, vhost: str, report: Report) -> PrivateRabbitMQ:
    """The private RabbitMQ of `state_dir` (way "private" or "download"), not started.

    Raises Unavailable.
    """
    installation = binaries.installed_rabbitmq() if way == "private" else download.rabbitmq(report)
    return PrivateRabbitMQ(installation, state_dir / way / "rabbitmq", state_dir, vhost)


def find_postgres(way: str, state_dir: Path, report: Report) -> FoundPostgres:
    """Start the private Postgres. Raises Unavailable."""
    server = postgres_server(way, state_dir, report)
    report("starting a private Postgres …")
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return FoundPostgres(server.url, way, str(server.folder), server)


def find_broker(way: str, state_dir: Path, vhost: str, report: Report) -> FoundBroker:
    """Start the private RabbitMQ. Raises Unavailable."""
    server = rabbitmq_server(way, state_dir, vhost, report)
    report("starting a private RabbitMQ (4 to 8 s) …")
    try:
        server.start()
        OwnNode(server).create(vhost)
    except BaseException:
        server.stop()
        raise
    return FoundBroker(server.url, way, f"127.0.0.1:{server.port}", OwnNode(server), server)


@dataclass(frozen=True)
class PrivatePair:
    """A Postgres and a RabbitMQ of one test: stop, kill and restart each by itself."""

    postgres: PrivatePostgres
    broker: PrivateRabbitMQ
    vhosts: OwnNode


@contextmanager
def throw_away(report: Report, way: str | None = None) -> Iterator[PrivatePair]:
    """A started pair in a temporary folder, gone at the end; from installed programs, else
    downloaded ones.
    """
    ways = [way] if way else list(OWN_WAYS)
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="venue-", ignore_cleanup_errors=True)
            )
        )
        folder.chmod(0o711)
        if not may_pass(folder, postgres_account()):
            raise Unavailable(
                f"the account that runs Postgres can't reach {folder}: set TMPDIR to a folder it "
                "can"
            )
        postgres = _first_that_works(ways, lambda chosen: postgres_server(chosen, folder, report))
        stack.callback(postgres.erase)
        postgres.start()
        broker = _first_that_works(
            ways, lambda chosen: rabbitmq_server(chosen, folder, "venue", report)
        )
        stack.callback(broker.erase)
        broker.start()
        yield PrivatePair(postgres, broker, OwnNode(broker))


def _first_that_works(ways: list[str], make: Callable[[str], Server]) -> Server:
    """The first way's server that can be had; Unavailable with the last reason."""
    for way in ways[:-1]:
        try:
            return make(way)
        except Unavailable:
            continue
    return make(ways[-1])
