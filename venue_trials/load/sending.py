"""Starts the generator's process and brings its result."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from venue_launcher.errors import VenueError
from venue_launcher.service_logs import tail
from venue_trials.load.plan import LoadPlan, LoadResult

_LOOK_EVERY_S = 0.1
_START_S = 60.0
ROOT = Path(__file__).parents[2]


class LoadFailed(VenueError):
    """The generator ended with an error; the message is the end of what it said."""


def send(plan: LoadPlan, meanwhile: Callable[[int], None] = lambda pid: None) -> LoadResult:
    """The result of a load in a process of its own; `meanwhile` is called with its pid several
    times a second.
    """
    with tempfile.TemporaryDirectory(prefix="venue-load-") as folder:
        path, said, answer = (
            Path(folder) / "plan.json",
            Path(folder) / "said",
            Path(folder) / "answer",
        )
        path.write_bytes(msgspec.json.encode(plan))
        path.chmod(0o600)
        with said.open("wb") as errors, answer.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "venue_trials.load.sender", str(path)],
                stdout=output,
                stderr=errors,
                env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
            )
        deadline = time.monotonic() + _START_S + plan.seconds + plan.patience_s
        try:
            while process.poll() is None and time.monotonic() < deadline:
                meanwhile(process.pid)
                time.sleep(_LOOK_EVERY_S)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise LoadFailed(f"the load generator ended with {process.returncode}: {tail(said)}")
        return msgspec.json.decode(answer.read_bytes(), type=LoadResult)
