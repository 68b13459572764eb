"""What a state folder remembers of its servers, so that a second start continues where the first
stopped.
"""

from pathlib import Path

import msgspec

from venue_launcher.state_folder import write_private


class Remembered(msgspec.Struct, frozen=True):
    """The Postgres and the broker of the last start."""

    postgres_way: str
    postgres_place: str
    broker_way: str


def _path(state_dir: Path) -> Path:
    return state_dir / "infrastructure.json"


def recall(state_dir: Path) -> Remembered | None:
    """What the last start used; None at the first."""
    try:
        return msgspec.json.decode(_path(state_dir).read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return None


def remember(state_dir: Path, remembered: Remembered) -> None:
    """Keep it for the next start."""
    write_private(_path(state_dir), msgspec.json.encode(remembered).decode())


def forget(state_dir: Path) -> None:
    """The next start is a first one."""
    _path(state_dir).unlink(missing_ok=True)
