"""A sample service in a process of its own, and how to look at it from outside."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import requests

ROOT = Path(__file__).parents[3]
SILENCE_S = 1


def eventually(claim: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Whether `claim` becomes true within the time."""
    deadline_s = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


class SampleService:
    """The process, its address and its log."""

    def __init__(self, log: Path, **environment: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._log = log
        settings = {
            "VENUE_BROKER_URL": "amqp://nowhere",
            "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere",
            "VENUE_PORT": str(self.port),
            "SAMPLE_SILENCE_S": str(SILENCE_S),
            "PYTHONPATH": str(ROOT),
        }
        program = Path(__file__).with_name("sample_service.py")
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(program)],
                env=os.environ | settings | environment,
                stderr=stderr,
                start_new_session=True,
            )

    def url(self, path: str) -> str:
        """Address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def connect(self) -> socket.socket:
        """A raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def is_alive(self) -> bool:
        """Whether it answers."""
        try:
            return requests.get(self.url("/healthz"), timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def log_text(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text()

    def log_lines(self) -> list[dict[str, object]]:
        """Its log lines; what is not JSON is left out."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def kill(self) -> None:
        """End it and all it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def open_files(self) -> int:
        """How many file descriptors it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))
