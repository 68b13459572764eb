"""A local player's process: its own folder, its own key and nobody else's, and limits."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from venue_competition import confined

CHECKOUT = Path(__file__).resolve().parents[1]
ERROR_FILE = "stderr.txt"
OUTPUT_FILE = "stdout.txt"
_GRACE_S = 3.0
_MOST_WORDS = 300
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")
"""All that a player gets of our environment: nothing that opens the venue."""


class PlayerProcess:
    """One command that runs until it is stopped. Signals go to all processes that it started."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        memory_mb: int,
        processor_s: int,
        given: bytes = b"",
    ) -> None:
        """Start it in an empty folder of its own; `given` is its standard input."""
        folder.mkdir(parents=True)
        self._folder = folder
        limits = [str(os.getpid()), str(memory_mb), str(processor_s)]
        with (
            (folder / OUTPUT_FILE).open("wb") as output,
            (folder / ERROR_FILE).open("wb") as errors,
        ):
            self._process = subprocess.Popen(
                [sys.executable, confined.__file__, *limits, *command],
                cwd=folder,
                env=_environment(folder) | dict(variables),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        self._give(given)

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to end, then end it."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """The last line that it wrote to standard error."""
        text = (self._folder / ERROR_FILE).read_bytes()[-4096:].decode(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1][:_MOST_WORDS] if lines else ""

    def _give(self, given: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(given)
            self._process.stdin.close()
        except BrokenPipeError:
            # It ended at once; the exit code tells.
            pass

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _environment(folder: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {"HOME": str(folder), "TMPDIR": str(folder)}
