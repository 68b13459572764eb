"""A launcher of its own session, and its end: `up --detach`, `down`."""

import signal
import subprocess
import sys
from pathlib import Path

from venue_launcher import processes, running_venue, state_file, state_folder
from venue_launcher.addresses import describe
from venue_launcher.errors import CommandError
from venue_launcher.processes import wait_until
from venue_launcher.terminal import report

START_PATIENCE_S = 300.0
STOP_PATIENCE_S = 90.0


def start(way: str | None, host: str) -> int:
    """Start a launcher that outlives us, tell its progress, return once the venue is ready."""
    state_dir = state_folder.choose()
    if state_file.read(state_dir):
        raise running_venue.VenueRunsElsewhere(
            f"a venue already runs in {state_dir}: see ./venue status, or ./venue down"
        )
    log = state_dir / "logs" / "launcher.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    command = [sys.executable, "-P", "-m", "venue_cli", "up", "--background", "--host", host]
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
    known = state_file.read(state_dir)
    if known:
        report("stopping the venue …")
        processes.end(known.launcher, signal.SIGTERM, STOP_PATIENCE_S)
    leftovers = processes.end_leftovers(state_dir / "processes")
    if leftovers:
        report(f"ended what an earlier start left running: {', '.join(leftovers)}")
    state_file.clear(state_dir)
    return bool(known or leftovers)
