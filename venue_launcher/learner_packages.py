"""The packages of environments for learners: an extra, kept apart from the venue's environment."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from venue_launcher.errors import CommandError
from venue_launcher.state_folder import CHECKOUT

LOCK = CHECKOUT / "venue_simulation" / "environments" / "environments.lock"


def install(folder: Path) -> Path:
    """Where the locked packages are below `folder`; installed now if they are not there yet.

    CommandError where they can't be had.
    """
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    place = folder / f"learner-packages-{digest}"
    if place.is_dir():
        return place
    part = folder / f"{place.name}.{os.getpid()}"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
    command += ["--require-hashes", "-r", str(LOCK), "--target", str(part)]
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        shutil.rmtree(part, ignore_errors=True)
        raise CommandError(f"the packages of {LOCK.name} can't be installed: see above")
    try:
        part.rename(place)
    except OSError:
        # Another run was quicker.
        shutil.rmtree(part, ignore_errors=True)
    return place
