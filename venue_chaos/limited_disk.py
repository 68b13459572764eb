"""A small disk that can be filled to the last byte without filling the machine's."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BALLAST = "ballast"
_CHUNK = 1 << 20


class LimitedDisk:
    """A mounted tmpfs of `megabytes`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> int:
        """Take every free byte; the number taken."""
        taken = 0
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            for size in (_CHUNK, 4096):
                try:
                    while written := ballast.write(bytes(size)):
                        taken += written
                except OSError:
                    continue
        return taken

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.folder / _BALLAST).unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path, megabytes: int, mode: str = "0700") -> Iterator[LimitedDisk | None]:
    """A limited disk at `folder`; None where this user may not mount.

    Then no disk can be filled without harm to the machine.
    """
    if os.getuid() != 0:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size={megabytes}m,mode={mode}",
        "venue-chaos",
        str(folder),
    ]
    try:
        is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        yield None
        return
    try:
        yield LimitedDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
