"""Where a checkout keeps its state, and files there that nobody else may read.

Standard library only: the bootstrap needs it before anything is installed.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from venue_launcher.errors import VenueError

CHECKOUT = Path(__file__).resolve().parent.parent


class StateFolderError(VenueError):
    """No folder can hold the state; the message says what to do."""


def checkout_hash(checkout: Path = CHECKOUT) -> str:
    """Eight hexadecimal digits that tell this checkout and user from others on the machine."""
    return hashlib.sha256(f"{checkout}:{os.getuid()}".encode()).hexdigest()[:8]


def instance_name(state_dir: Path) -> str:
    """The venue's name on servers that it may share with others: of databases and roles."""
    return f"venue_{checkout_hash(state_dir)}"


def candidates(checkout: Path, environment: Mapping[str, str]) -> list[Path]:
    """Folders that may hold the state, best first; VENUE_HOME is the only one where it is given."""
    if environment.get("VENUE_HOME"):
        return [Path(environment["VENUE_HOME"]).absolute()]
    name = checkout_hash(checkout)
    found = [checkout / ".venue"]
    if environment.get("XDG_STATE_HOME"):
        found.append(Path(environment["XDG_STATE_HOME"]) / "venue" / name)
    if environment.get("HOME"):
        found.append(Path(environment["HOME"]) / ".local" / "state" / "venue" / name)
    return [*found, Path(tempfile.gettempdir()) / f"venue-{os.getuid()}-{name}"]


def choose(checkout: Path = CHECKOUT, environment: Mapping[str, str] = os.environ) -> Path:
    """The first candidate that is ours and can be written, made where it was missing.

    Others may pass through it (the account that runs Postgres for root must), not list it.
    """
    tried = candidates(checkout, environment)
    for folder in tried:
        if is_usable(folder):
            return folder
    raise StateFolderError(
        f"none of {', '.join(map(str, tried))} can be written: set VENUE_HOME to a folder of yours"
    )


def is_usable(folder: Path) -> bool:
    """Whether `folder` exists or could be made, belongs to us, and takes new files."""
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def environment_folder(state: Path, checkout: Path = CHECKOUT) -> Path:
    """Where the virtual environment lives:

    `.venv` of the checkout, or beside the state when that is elsewhere.
    """
    return checkout / ".venv" if state == checkout / ".venue" else state / "venv"


def downloads_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where downloaded servers are kept, shared by all checkouts of one user.

    Root's is below /var/cache: the account that runs Postgres for root must be able to reach it.
    """
    if environment.get("VENUE_HOME"):
        return Path(environment["VENUE_HOME"]).absolute() / "downloads"
    if os.getuid() == 0 and is_usable(Path("/var/cache/venue")):
        return Path("/var/cache/venue")
    caches = [
        environment.get("XDG_CACHE_HOME", ""),
        environment.get("HOME", "") and environment["HOME"] + "/.cache",
    ]
    for cache in filter(None, caches):
        if is_usable(Path(cache) / "venue"):
            return Path(cache) / "venue"
    return choose(environment=environment) / "downloads"


def private_folder(path: Path) -> None:
    """Make the folder where it is missing, and let nobody else look into it (mode 0700)."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def write_private(path: Path, content: str) -> None:
    """Replace `path` (mode 0600) in one step: a reader sees the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    partial.rename(path)
