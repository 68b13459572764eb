"""Who runs a private Postgres, and which folders that account can reach."""

import os
import pwd
import stat
import tempfile
from pathlib import Path

from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import Account
from venue_launcher.state_folder import is_usable

CANDIDATES = ("postgres", "nobody")


def postgres_account() -> Account | None:
    """The account to drop to:

    Postgres refuses to run as root. None for an ordinary user, who runs it himself.
    """
    if os.getuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Unavailable("Postgres refuses to run as root and there is no account postgres or nobody")


def may_pass(folder: Path, account: Account | None) -> bool:
    """Whether `account` can traverse `folder` and all above it; anybody may pass as himself."""
    if account is None:
        return True
    return all(
        _has_search_right(part, account) for part in [folder, *folder.parents] if part.exists()
    )


def _has_search_right(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def reachable_folder(wanted: Path, name: str, account: Account | None) -> Path:
    """`wanted` where the account can reach it, else a folder called `name` at a place that it
    can.
    """
    elsewhere = [Path("/var/lib/venue"), Path("/var/tmp") / f"venue-{os.getuid()}"]
    for folder in [wanted, *(place / name for place in elsewhere)]:
        if is_usable(folder.parent) and may_pass(folder.parent, account):
            return folder
    raise Unavailable(
        f"the account {account and account.name} can reach neither {wanted} nor /var/lib or "
        "/var/tmp"
    )


def own_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` with rights for its owner alone, owned by the account.

    Raises Unavailable if it is another's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = account.uid if account else os.getuid()
    if folder.is_symlink() or folder.stat().st_uid not in (owner, os.getuid()):
        raise Unavailable(f"{folder} belongs to somebody else")
    if account:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def socket_folder(beside: Path, name: str) -> Path:
    """A folder for a Unix socket:

    `beside` when its path is short enough (107 bytes with the socket's name).
    """
    return beside if len(str(beside)) < 80 else Path(tempfile.gettempdir()) / f"venue-{name}"
