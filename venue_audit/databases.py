"""The databases to read: of the venue that runs, of one that is stopped, or those that are
named.
"""

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import requests

from migrations.provision import Provisioned
from venue_audit.proof import EngineState
from venue_launcher import running_venue, state_file, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.terminal import report

if TYPE_CHECKING:
    from venue_launcher.infrastructure.found import FoundPostgres

_ENGINE_TIMEOUT_S = 10


@dataclass(frozen=True)
class Databases:
    """Both databases of a venue with their owner's role, and its engine where one runs."""

    clearing_url: str
    market_url: str
    engine_url: str | None = None

    def engines(self) -> list[EngineState]:
        """What the live engine says of itself now; nothing when none answers."""
        if self.engine_url is None:
            return []
        try:
            answer = requests.get(f"{self.engine_url}/v1/engine", timeout=_ENGINE_TIMEOUT_S)
            return [msgspec.json.decode(answer.content, type=EngineState)]
        except (requests.RequestException, msgspec.MsgspecError):
            report("the matching engine does not answer: its live books are not compared")
            return []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--clearing-url and --market-url."""
    said = "default: that of the venue of this folder, running or stopped"
    parser.add_argument("--clearing-url", metavar="URL", help=f"read this clearing_data; {said}")
    parser.add_argument("--market-url", metavar="URL", help=f"read this market_data; {said}")


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Databases]:
    """The databases the arguments name, readable within the block. A private Postgres that is
    stopped is started.

    Raises CommandError where they can't be had, or go away within the block.
    """
    try:
        with _chosen(arguments) as databases:
            yield databases
    except psycopg2.OperationalError as error:
        raise CommandError(
            f"the database went away while it was read: {str(error).strip()}"
        ) from error


@contextmanager
def _chosen(arguments: argparse.Namespace) -> Iterator[Databases]:
    if arguments.clearing_url and arguments.market_url:
        yield Databases(arguments.clearing_url, arguments.market_url)
        return
    if arguments.clearing_url or arguments.market_url:
        raise CommandError("name both databases, or none: --clearing-url and --market-url")
    folder = state_folder.choose()
    if state_file.read(folder) is not None:
        venue = running_venue.attach(folder)
        yield Databases(venue.owner_clearing_url, venue.owner_market_url, venue.engine_url)
        return
    with _stopped_venue(folder) as databases:
        yield databases


@contextmanager
def _stopped_venue(folder: Path) -> Iterator[Databases]:
    """The databases of a venue that does not run; nobody can start it meanwhile."""
    with (folder / "venue.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise CommandError(
                "the venue is just starting or stopping: try again in a few seconds"
            ) from taken
        found = _postgres(folder)
        try:
            stored = Provisioned(found.url, state_folder.instance_name(folder), {})
            yield Databases(stored.owner_clearing_url, stored.owner_market_url)
        finally:
            if found.server:
                found.server.stop()


def _postgres(folder: Path) -> "FoundPostgres":
    """The Postgres that holds the venue's data, started if it is a private one."""
    # The drivers of brokers and servers come with these: only a venue that is stopped needs them.
    from venue_launcher.infrastructure import given, local, memory, private

    known = memory.recall(folder)
    if known is None:
        raise CommandError("there is no venue here yet: start one with ./venue up")
    if known.postgres_way == "given":
        return given.find_postgres(os.environ)
    if known.postgres_way == "local":
        return local.find_postgres(os.environ)
    return private.find_postgres(known.postgres_way, folder, report)
