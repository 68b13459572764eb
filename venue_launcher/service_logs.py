"""Log files: rotated while the writer keeps them open, and read from the end."""

import shutil
from collections.abc import Iterable
from pathlib import Path

MAX_BYTES = 20_000_000
KEPT = 5


def rotate(log: Path, max_bytes: int = MAX_BYTES) -> None:
    """Copy a log that grew too large to `.1` (older ones move on to `.2` …) and empty it.

    The writer appends, so it goes on at the start of the emptied file; lines written during the
    copy may be lost.
    """
    if not log.exists() or log.stat().st_size <= max_bytes:
        return
    for number in range(KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    copy = log.with_name(f"{log.name}.1")
    try:
        shutil.copyfile(log, copy)
    except OSError:
        # The disk is full. The log is tried again later, a half copy would only take room.
        copy.unlink(missing_ok=True)
        return
    with log.open("r+b") as file:
        file.truncate(0)


def rotate_all(folders: Iterable[Path]) -> None:
    """Rotate every log in `folders`: also those of private servers and of the launcher itself,
    which only append.
    """
    for folder in folders:
        for log in folder.glob("*.log"):
            rotate(log)


def tail(log: Path, lines: int = 20) -> str:
    """The last lines, at most 16 kB of them; empty when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_000))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
