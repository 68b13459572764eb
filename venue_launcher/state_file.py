"""state.json: what a running venue tells the other commands. Mode 0600, it holds URLs with
passwords.
"""

from pathlib import Path

import msgspec

from venue_launcher.processes import ProcessIdentity
from venue_launcher.state_folder import write_private


class ServerStatus(msgspec.Struct, frozen=True):
    """How one of our servers is."""

    pid: int | None
    restarts: int = 0
    trouble: str | None = None
    """Why it does not run; None while it does."""
    since_s: float | None = None
    """Unix time at which the trouble began."""


class VenueState(msgspec.Struct, frozen=True):
    """A venue that is starting or running under a launcher."""

    launcher_pid: int
    launcher_started: str
    is_ready: bool = False
    instance: str = ""
    how: str = ""
    postgres_url: str = ""
    broker_url: str = ""
    owner_clearing_url: str = ""
    owner_market_url: str = ""
    admin_key: str = ""
    addresses: dict[str, str] = {}
    """Base URL by service."""
    pids: dict[str, int] = {}
    restarts: dict[str, int] = {}
    servers: dict[str, ServerStatus] = {}
    """How Postgres and RabbitMQ are, where the launcher started them."""

    @property
    def launcher(self) -> ProcessIdentity:
        """The process that watches the services."""
        return ProcessIdentity(self.launcher_pid, self.launcher_started)


def _path(state_dir: Path) -> Path:
    return state_dir / "state.json"


def _key_path(state_dir: Path) -> Path:
    return state_dir / "admin.key"


def read(state_dir: Path) -> VenueState | None:
    """The venue of this state folder, if its launcher is alive."""
    try:
        state = msgspec.json.decode(_path(state_dir).read_bytes(), type=VenueState)
    except (OSError, msgspec.DecodeError):
        return None
    return state if state.launcher.is_alive() else None


def write(state_dir: Path, state: VenueState) -> None:
    """Replace it."""
    write_private(_path(state_dir), msgspec.json.encode(state).decode())


def keep_administrator_key(state_dir: Path, key: str) -> None:
    """Put the key that took the place of the launcher's into `admin.key`, for all commands."""
    write_private(_key_path(state_dir), key + "\n")


def administrator_key(state_dir: Path, state: VenueState) -> str:
    """The key in `admin.key`; the one of the start where that file is gone."""
    try:
        return _key_path(state_dir).read_text().strip() or state.admin_key
    except OSError:
        return state.admin_key


def clear(state_dir: Path) -> None:
    """No venue runs here."""
    _path(state_dir).unlink(missing_ok=True)
