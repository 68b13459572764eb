"""Files for our eyes alone, replaced whole or not at all."""

import os
from pathlib import Path


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
