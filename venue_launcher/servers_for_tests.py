"""Postgres and RabbitMQ for runs of tests, each with a virtual host of its own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from venue_launcher.infrastructure import finder, memory
from venue_launcher.infrastructure.ways import OWN_WAYS
from venue_launcher.signals import shielded
from venue_launcher.terminal import report


@contextmanager
def servers_for_tests(
    way: str | None, venue_dir: Path, count: int
) -> Iterator[list[dict[str, str]]]:
    """The variables that name the servers to each of `count` runs that go at once.

    The virtual hosts are deleted afterwards. Raises InfrastructureError.
    """
    found = finder.start(way or _own_way(venue_dir), venue_dir / "test", report)
    hosts = [f"venue_test_{secrets.token_hex(4)}" for _ in range(count)]
    try:
        yield [
            {
                "VENUE_TEST_POSTGRES_URL": found.postgres_url,
                "VENUE_TEST_BROKER_URL": found.create_vhost(host),
            }
            for host in hosts
        ]
    finally:
        with shielded():
            for host in hosts:
                found.delete_vhost(host)
            found.delete_own_vhost()
            found.stop()


def _own_way(venue_dir: Path) -> str | None:
    """How the venue of this checkout has servers of its own, if it has."""
    known = memory.recall(venue_dir)
    is_own = (
        known is not None
        and known.postgres_way == known.broker_way
        and known.broker_way in OWN_WAYS
    )
    return known.broker_way if known is not None and is_own else None
