"""The files of this repository, for the tests of the whole of it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tracked_files() -> list[Path]:
    """Files of the repository: those git knows, and new ones it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in filter(None, listing.split("\0")) if (path := ROOT / name).is_file()]
