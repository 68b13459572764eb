"""The packages of environments for learners: an extra, kept apart from the venue's environment."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from venue_launcher.bootstrap import BootstrapError, installer_variables, run_installer
from venue_launcher.state_folder import CHECKOUT

LOCK = CHECKOUT / "venue_simulation" / "environments" / "environments.lock"

_UV = (sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable)
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install")


def install(folder: Path) -> Path:
    """Where the locked packages are below `folder`; installed now if they are not there yet.

    With uv or else with pip, as the environment itself. BootstrapError where they can't be had.
    """
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    place = folder / f"learner-packages-{digest}"
    if place.is_dir():
        return place
    part = folder / f"{place.name}.{os.getpid()}"
    options = ["--quiet", "--require-hashes", "-r", str(LOCK), "--target", str(part)]
    variables = installer_variables(os.environ, folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if not run_installer([*_UV, *options], variables):
            shutil.rmtree(part, ignore_errors=True)
            run_installer([*_PIP, *options], variables, is_last=True)
    except BootstrapError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    try:
        part.rename(place)
    except OSError:
        # Another run was quicker.
        shutil.rmtree(part, ignore_errors=True)
    return place
