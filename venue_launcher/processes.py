"""Child processes that can't outlive us unnoticed.

The kernel ends them with us, files record them, and we give them time to stop.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from venue_launcher.state_folder import private_folder, write_private

LEFTOVER_PATIENCE_S = 20.0
CHILD_PROCESS = Path(__file__).with_name("child_process.py")


@dataclass(frozen=True)
class Account:
    """A user of the machine to run a server as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class ProcessIdentity:
    """A process for good: a pid alone may belong to another one later."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of a running process; None when there is none or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _identify_by_ps(pid)
    except ProcessLookupError:
        return None
    return None if fields[0] == "Z" else ProcessIdentity(pid, fields[19])


def _identify_by_ps(pid: int) -> ProcessIdentity | None:
    asked = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return ProcessIdentity(pid, asked.stdout.strip()) if asked.stdout.strip() else None


class ProcessRecord:
    """A file that names the process started last and the signal that ends it: a later start finds
    what was left.
    """

    def __init__(self, path: Path, end_signal: int) -> None:
        self._path = path
        self._end_signal = end_signal

    def write(self, pid: int) -> None:
        """Record a process of ours that was just started."""
        identity = identify(pid)
        if identity is None:
            return
        # A full disk must not keep it from running: the kernel ends it with us all the same.
        with suppress(OSError):
            write_private(
                self._path, json.dumps(asdict(identity) | {"end_signal": int(self._end_signal)})
            )

    def clear(self) -> None:
        """Forget it."""
        self._path.unlink(missing_ok=True)

    def end_leftover(self) -> str | None:
        """End the recorded process where it still runs, and forget it.

        Its name, or None when nothing ran.
        """
        try:
            known = json.loads(self._path.read_text())
            identity = ProcessIdentity(known["pid"], known["started"])
        except (OSError, ValueError, KeyError):
            return None
        was_alive = identity.is_alive()
        if was_alive:
            end(identity, known["end_signal"], LEFTOVER_PATIENCE_S)
        self.clear()
        return self._path.stem if was_alive else None


def end_leftovers(records: Path) -> list[str]:
    """End every process recorded in the folder that still runs; their names.

    SIGKILL ones (services) go first.
    """
    files = sorted(
        records.glob("*.json"), key=lambda file: '"end_signal": 9' not in file.read_text()
    )
    return [name for file in files if (name := ProcessRecord(file, 0).end_leftover())]


def end(identity: ProcessIdentity, number: int, patience_s: float) -> None:
    """Signal a process that need not be our child; after `patience_s` kill its group."""
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return
    if not wait_until(lambda: not identity.is_alive(), patience_s):
        kill_group(identity.pid)
        wait_until(lambda: not identity.is_alive(), 5)


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: int,
    environment: Mapping[str, str],
    account: Account | None = None,
    folder: Path = Path("/"),
) -> subprocess.Popen[bytes]:
    """Start a child that ends with us, in a session of its own, output appended to `log`.

    Call it from a thread that lives as long as the child may: the kernel ends the child with that
    thread.
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    starter = [
        sys.executable,
        "-I",
        "-S",
        CHILD_PROCESS,
        os.getpid(),
        int(death_signal),
        uid,
        gid,
        *command,
    ]
    private_folder(log.parent)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in starter],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], number: int, patience_s: float) -> int:
    """End a child:

    `number`, after `patience_s` SIGKILL; whatever is left of its group too. Its exit code.
    """
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
    kill_group(process.pid)
    return process.wait()


def kill_group(group: int) -> None:
    """SIGKILL to what is left of a process group of ours."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def wait_until(is_so: Callable[[], bool], patience_s: float, pause_s: float = 0.05) -> bool:
    """Wait for a condition; False when it did not come true in `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True
