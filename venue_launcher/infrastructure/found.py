"""What a way hands back: a server that can be used, where it is, and how to let go of it."""

from dataclasses import dataclass
from typing import Protocol

from venue_launcher.infrastructure.virtual_hosts import VirtualHosts


class PrivateServer(Protocol):
    """A server that we started ourselves."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        ...

    @property
    def pid(self) -> int | None:
        """Its pid while it runs."""
        ...

    def start(self) -> None:
        """Start and wait until it is ready; raises Unavailable."""
        ...

    def has_ended(self) -> bool:
        """Whether it ended since its start without being asked to."""
        ...

    def restart(self) -> None:
        """Start it again after it ended, at the same address; raises Unavailable."""
        ...

    def stop(self) -> None:
        """Orderly shutdown; the data stay."""
        ...

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        ...

    def erase(self) -> None:
        """Stop and remove all that it stored."""
        ...


@dataclass(frozen=True)
class FoundPostgres:
    """A Postgres that lets us make databases and roles."""

    url: str
    way: str
    place: str
    """For messages, and to know it again: the same place holds the same data."""
    server: PrivateServer | None = None


@dataclass(frozen=True)
class FoundBroker:
    """A RabbitMQ and the venue's virtual host on it."""

    url: str
    way: str
    place: str
    vhosts: VirtualHosts
    server: PrivateServer | None = None
    is_vhost_ours: bool = True
    """Whether we made the virtual host of `url`, so that a reset may remove it."""
