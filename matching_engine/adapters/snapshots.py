"""Snapshots of the engine in files: a cache that makes a restart short, and may be deleted at any
time.
"""

import hashlib
import logging
import os
from pathlib import Path

from matching_engine.domain.engine import MatchingEngine
from matching_engine.domain.snapshot import SnapshotError

log = logging.getLogger(__name__)

_KEPT = 4
"""Snapshots kept: the newest may be of another log or damaged, and a resend needs one before the
events that are missing."""
_DIGEST_BYTES = 32
_OWN_FOLDER = 0o700
_OWN_FILE = 0o600


class SnapshotFolder:
    """Snapshot files of one shard, named by log position. Without a folder nothing is kept."""

    def __init__(self, folder: str, shard: int) -> None:
        self._folder = Path(folder) / f"engine.{shard}" if folder else None

    def save(self, engine: MatchingEngine) -> None:
        """Write the engine's state whole or not at all; keep the newest few.

        A full disk is only a warning.
        """
        if self._folder is None:
            return
        content = engine.snapshot()
        target = self._folder / f"{engine.log_position:020d}.snapshot"
        partial = target.with_suffix(".partial")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Orders that nobody may see yet: the files are for the venue's own user alone. A
            # folder and files of an older version are closed as well.
            self._folder.chmod(_OWN_FOLDER)
            partial.unlink(missing_ok=True)
            with open(partial, "wb", opener=_open_own) as file:
                file.write(hashlib.sha256(content).digest() + content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            for old in self._newest_first()[_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning(
                "snapshot not written",
                extra={"sequence": engine.log_position, "error": repr(error)},
            )

    def load(self, events_at_most: int | None = None) -> MatchingEngine | None:
        """The newest readable snapshot, whose events go no further than given; None without
        one.
        """
        for path in self._newest_first():
            engine = _read(path)
            if engine is not None and (
                events_at_most is None or engine.event_position <= events_at_most
            ):
                return engine
        return None

    def discard(self, engine: MatchingEngine) -> None:
        """Delete the snapshot this engine was read from: it belongs to another log."""
        if self._folder is not None:
            (self._folder / f"{engine.log_position:020d}.snapshot").unlink(missing_ok=True)

    def _newest_first(self) -> list[Path]:
        if self._folder is None:
            return []
        return sorted(self._folder.glob("*.snapshot"), reverse=True)


def _open_own(path: str, flags: int) -> int:
    """Open a file that only the venue's own user may read, whatever the umask is."""
    return os.open(path, flags, _OWN_FILE)


def _read(path: Path) -> MatchingEngine | None:
    """The engine in a file; None, and a warning, if the file is damaged."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST_BYTES:]).digest() != content[:_DIGEST_BYTES]:
            raise SnapshotError("the checksum is wrong")
        return MatchingEngine.restore(content[_DIGEST_BYTES:])
    except (OSError, SnapshotError) as error:
        log.warning(
            "snapshot unreadable, passed over", extra={"file": path.name, "error": repr(error)}
        )
        return None
