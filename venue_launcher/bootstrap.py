"""Makes the virtual environment of a checkout, once per lock, then becomes `python -m venue_cli`.

Standard library only. Safe against two starts at once (a lock on a file) and against an
interruption anywhere: the stamp that declares an environment complete is written last.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from venue_launcher import state_folder
from venue_launcher.errors import VenueError
from venue_launcher.state_folder import CHECKOUT

LOCK_FILE = "requirements.lock"
STAMP = "venue-lock.sha256"
PATH_FILE = "venue_checkout.pth"
"""So that a bot's file, wherever it lies, can import trading_bots."""


class BootstrapError(VenueError):
    """The environment can't be made; one sentence that says what to do."""


def report(line: str) -> None:
    """One line of progress, on standard error so that a command's output stays its own."""
    print(f"venue: {line}", file=sys.stderr, flush=True)


def stamp_of(lock: Path) -> str:
    """What a complete environment for `lock` has in its stamp file: the lock's hash and the Python
    it is for.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{digest} {sys.version_info.major}.{sys.version_info.minor}\n"


def is_complete(environment: Path, stamp: str) -> bool:
    """Whether the environment was finished for this lock and its interpreter is still there."""
    try:
        return (environment / STAMP).read_text() == stamp and os.access(
            environment / "bin/python", os.X_OK
        )
    except OSError:
        return False


def named_checkout(environment: Path) -> str | None:
    """The checkout that the environment was made for; None if it does not say.

    Its scripts name their old place too.
    """
    for file in environment.glob(f"lib/python3*/site-packages/{PATH_FILE}"):
        return file.read_text().strip()
    return None


@contextmanager
def exclusively(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at `path`; calls `waiting` once when another process holds it."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure(environment: Path, lock: Path, state: Path) -> None:
    """Make or renew the environment unless it is complete for this lock already."""
    stamp = stamp_of(lock)
    if is_complete(environment, stamp) and named_checkout(environment) == str(CHECKOUT):
        return
    with exclusively(
        state / "environment.lock",
        lambda: report("another start is making the environment, waiting …"),
    ):
        if not (is_complete(environment, stamp) and named_checkout(environment) == str(CHECKOUT)):
            make(environment, lock, stamp, state)


def make(environment: Path, lock: Path, stamp: str, state: Path) -> None:
    """Create the environment where it is missing or broken, install the lock, write the stamp."""
    started = time.monotonic()
    (environment / STAMP).unlink(missing_ok=True)
    was_moved = named_checkout(environment) not in (None, str(CHECKOUT))
    if was_moved or not is_healthy(environment):
        report(f"making the Python environment in {environment} (first start) …")
        create(environment)
    count = len(re.findall(r"^[a-z0-9][\w.-]*==", lock.read_text(), re.MULTILINE))
    report(f"installing {count} locked packages …")
    install(environment, lock, state)
    for packages in environment.glob("lib/python3*/site-packages"):
        (packages / PATH_FILE).write_text(f"{CHECKOUT}\n")
    partial = environment / f"{STAMP}.partial"
    partial.write_text(stamp)
    partial.rename(environment / STAMP)
    report(f"environment ready after {time.monotonic() - started:.1f} s")


def is_healthy(environment: Path) -> bool:
    """Whether the environment has a working pip on this Python's version: an interrupted creation
    has not.
    """
    wanted = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    python = environment / "bin/python"
    return (
        python.exists()
        and subprocess.run([python, "-c", wanted], capture_output=True).returncode == 0
    )


def create(environment: Path) -> None:
    """A fresh virtual environment with pip."""
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", environment],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode == 0:
        return
    shutil.rmtree(environment, ignore_errors=True)
    said = (made.stdout + made.stderr).strip()
    if "ensurepip" in said or "No module named venv" in said:
        raise BootstrapError(
            "this Python can't make virtual environments: install its venv module (apt-get "
            "install python3-venv)"
        )
    raise BootstrapError(f"the environment in {environment} could not be made: {last_line(said)}")


def install(environment: Path, lock: Path, state: Path) -> None:
    """Install the lock with uv, or with pip where uv can't be had or fails.

    Every file is checked by its hash.
    """
    pip = [str(environment / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
    variables = installer_variables(os.environ, state)
    if not (
        install_uv(pip, environment, lock, variables)
        and install_with_uv(environment, lock, variables)
    ):
        report("uv is not available here, going on with pip (slower) …")
        run_installer(
            [*pip, "install", "--quiet", "--require-hashes", "-r", str(lock)],
            variables,
            is_last=True,
        )


def installer_variables(variables: Mapping[str, str], state: Path) -> dict[str, str]:
    """The environment for pip and uv: the machine's certificates, and a cache where the user has no
    home.
    """
    chosen = {"UV_SYSTEM_CERTS": "true", "UV_LINK_MODE": "copy"} | dict(variables)
    home = chosen.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        chosen |= {
            "HOME": str(state),
            "UV_CACHE_DIR": str(state / "cache/uv"),
            "PIP_CACHE_DIR": str(state / "cache/pip"),
        }
    return chosen


def install_uv(
    pip: Sequence[str], environment: Path, lock: Path, variables: Mapping[str, str]
) -> bool:
    """Install the uv of the lock alone; False where that fails."""
    if (environment / "bin/uv").exists():
        return True
    pinned = re.search(r"^uv==(?:.*\\\n)*.*\n", lock.read_text(), re.MULTILINE)
    if pinned is None:
        raise BootstrapError(f"{lock.name} does not pin uv: renew it (see CONTRIBUTING)")
    alone = environment / "uv.lock.txt"
    alone.write_text(pinned.group())
    return run_installer(
        [*pip, "install", "--quiet", "--require-hashes", "-r", str(alone)], variables
    )


def install_with_uv(environment: Path, lock: Path, variables: Mapping[str, str]) -> bool:
    """Install the lock with uv; False where that fails."""
    python = str(environment / "bin/python")
    uv = [str(environment / "bin/uv"), "pip", "install", "--quiet", "--python", python]
    return run_installer([*uv, "--require-hashes", "-r", str(lock)], variables)


def run_installer(
    command: Sequence[str], variables: Mapping[str, str], is_last: bool = False
) -> bool:
    """Whether the installer ended well.

    The last one to try raises BootstrapError with what it said.
    """
    done = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=False)
    if done.returncode and is_last:
        raise BootstrapError(explain(done.stdout + done.stderr))
    return done.returncode == 0


def explain(said: str) -> str:
    """One sentence about a failed installation, and what to do."""
    if "HASHES FROM THE REQUIREMENTS FILE" in said or "do not match" in said.lower():
        return (
            f"a downloaded package does not match its hash in {LOCK_FILE}: check your package "
            "index and try again"
        )
    if re.search(
        r"resolution|connection|network|timed? ?out|retries|Could not find a version",
        said,
        re.IGNORECASE,
    ):
        return (
            "the packages can't be downloaded: check the network (or pip's index and proxy "
            "settings) and try again"
        )
    return f"the packages can't be installed: {last_line(said)}"


def last_line(said: str) -> str:
    """The last line that says anything."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given"


def launch(environment: Path, arguments: Sequence[str]) -> None:
    """Become the console, in the environment; does not return.

    It takes Ctrl-C once it can answer it.
    """
    variables = dict(os.environ) | {"PYTHONPATH": str(CHECKOUT), "PYTHONNOUSERSITE": "1"}
    python = str(environment / "bin/python")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.execve(python, [python, "-P", "-m", "venue_cli", *arguments], variables)


def main(arguments: Sequence[str]) -> int:
    """Prepare and launch; returns only when that failed."""
    try:
        state = state_folder.choose()
        environment = state_folder.environment_folder(state)
        ensure(environment, CHECKOUT / LOCK_FILE, state)
        launch(environment, arguments)
    except KeyboardInterrupt:
        report("interrupted; the next start goes on from here")
        return 130
    except VenueError as error:
        report(f"{error}.")
    except OSError as error:
        report(f"the environment can't be made: {error}.")
    return 1
