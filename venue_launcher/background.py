"""A launcher of its own session, and its end: `up --detach`, `down`."""

import signal
import subprocess
import sys
from pathlib import Path

from venue_launcher import processes, running_venue, state_file, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.processes import ProcessIdentity, wait_until
from venue_launcher.running_venue import Hosts, describe
from venue_launcher.state_folder import private_folder
from venue_launcher.terminal import report

START_PATIENCE_S = 300.0
STOP_PATIENCE_S = 90.0


def start(way: str | None, hosts: Hosts) -> int:
    """Start a launcher that outlives us, tell its progress, return once the venue is ready."""
    state_dir = state_folder.choose()
    if state_file.read(state_dir):
        raise running_venue.VenueRunsElsewhere(
            f"a venue already runs in {state_dir}: see ./venue status, or ./venue down"
        )
    log = state_dir / "logs" / "launcher.log"
    private_folder(log.parent)
    log.write_bytes(b"")
    command = [sys.executable, "-P", "-m", "venue_cli", "up", "--background"]
    command += ["--host", hosts.public, "--administration-host", hosts.administration]
    command += ["--infrastructure", way] if way else []
    with log.open("ab") as output:
        launcher = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _follow(launcher, log, state_dir)
    except BaseException:
        processes.stop(launcher, signal.SIGTERM, STOP_PATIENCE_S)
        raise
    print(describe(running_venue.attach(state_dir)))
    report("the venue is open in the background; ./venue down stops it")
    return 0


def _follow(launcher: subprocess.Popen[bytes], log: Path, state_dir: Path) -> None:
    """Repeat the launcher's lines until the venue is ready.

    Raises CommandError when it ends before.
    """
    with log.open() as lines:

        def is_over() -> bool:
            sys.stderr.write(lines.read())
            sys.stderr.flush()
            return launcher.poll() is not None or _is_ready(state_dir)

        is_decided = wait_until(is_over, START_PATIENCE_S, pause_s=0.1)
    if not is_decided or launcher.poll() is not None:
        raise CommandError(f"the venue did not start; its launcher's log is {log}")


def _is_ready(state_dir: Path) -> bool:
    known = state_file.read(state_dir)
    return known is not None and known.is_ready


def stop(state_dir: Path) -> bool:
    """End the launcher that works in this state folder, and what a killed one left; whether there
    was anything.
    """
    launcher = launcher_of(state_dir)
    if launcher:
        report("stopping the venue …")
        processes.end(launcher, signal.SIGTERM, STOP_PATIENCE_S)
    leftovers = processes.end_leftovers(state_dir / "processes")
    if leftovers:
        report(f"ended what an earlier start left running: {', '.join(leftovers)}")
    state_file.clear(state_dir)
    return bool(launcher or leftovers)


def launcher_of(state_dir: Path) -> ProcessIdentity | None:
    """The launcher that works here: named by state.json, or by the lock that it holds.

    Raises CommandError when one holds the lock and can't be told: ending its servers under it
    would be no stop.
    """
    known = state_file.read(state_dir)
    if known:
        return known.launcher
    pid = running_venue.locked_by(state_dir)
    if pid is None:
        return None
    launcher = processes.identify(pid) if pid else None
    if launcher is None:
        raise CommandError(
            f"a venue runs in {state_dir}, but its launcher can't be told from venue.lock: "
            "stop it where it was started (Ctrl-C), or end the process that holds that file"
        )
    return launcher
