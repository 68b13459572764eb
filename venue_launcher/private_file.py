"""Files for our eyes alone, replaced whole or not at all."""

import os
from pathlib import Path


def write_private(path: Path, content: str) -> None:
    """Replace `path` (mode 0600) in one step: a reader sees the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    partial.rename(path)
