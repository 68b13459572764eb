"""Keeps the services running: starts them, watches, restarts with back-off, gives up loudly, stops
them in order.

One thread starts all children and lives as long as they do: the kernel ends such a child with
its parent thread.
"""

import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from venue_launcher import processes, service_logs
from venue_launcher.errors import VenueError
from venue_launcher.processes import ProcessRecord
from venue_launcher.terminal import report

T = TypeVar("T")

TICK_S = 0.1
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
FAILURES_ALLOWED = 5
FAILURE_WINDOW_S = 60.0
STOP_PATIENCE_S = 12.0
_ROTATE_EVERY_S = 5.0


class ServiceFailed(VenueError):
    """A service can't be kept running; the message carries the end of its log."""


class SupervisedService:
    """One service: its command, its process, and how often it ended unasked. For the supervisor's
    thread.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        url: str,
        state_dir: Path,
    ) -> None:
        self.name = name
        self.url = url
        self.log = state_dir / "logs" / f"{name}.log"
        self.restarts = 0
        self._command = command
        self._environment = environment
        self._record = ProcessRecord(state_dir / "processes" / f"{name}.json", signal.SIGKILL)
        self._process: subprocess.Popen[bytes] | None = None
        self._failures: deque[float] = deque()
        self._start_at = 0.0

    @property
    def pid(self) -> int | None:
        """Its pid while it runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    @property
    def environment(self) -> Mapping[str, str]:
        """What its process gets."""
        return self._environment

    def start(self) -> None:
        """Start the process."""
        self._process = processes.start(
            self._command, log=self.log, death_signal=signal.SIGKILL, environment=self._environment
        )
        self._record.write(self._process.pid)

    def keep_running(self, now_s: float, failures_allowed: int) -> bool:
        """Restart it when it ended and its pause is over; whether it was.

        Raises ServiceFailed after too many ends.
        """
        if self.pid:
            return False
        if self._process is not None:
            self._note_failure(now_s, self._process, failures_allowed)
        if now_s < self._start_at:
            return False
        self.restarts += 1
        self.start()
        return True

    def _note_failure(
        self, now_s: float, process: subprocess.Popen[bytes], failures_allowed: int
    ) -> None:
        code = processes.stop(process, signal.SIGKILL, 5)
        self._process = None
        self._failures.append(now_s)
        while self._failures[0] < now_s - FAILURE_WINDOW_S:
            self._failures.popleft()
        if len(self._failures) > failures_allowed:
            raise ServiceFailed(
                f"{self.name} ended {len(self._failures)} times within {FAILURE_WINDOW_S:.0f} s "
                f"(exit code {code}); "
                f"the end of {self.log}:\n{service_logs.tail(self.log)}"
            )
        self._start_at = now_s + min(
            FIRST_PAUSE_S * 2 ** (len(self._failures) - 1), LONGEST_PAUSE_S
        )

    def postpone(self, until_s: float) -> None:
        """Do not start it before this time."""
        self._start_at = until_s

    def stop(self) -> None:
        """SIGTERM, after a while SIGKILL; nothing of its group is left."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, STOP_PATIENCE_S)
            self._process = None
        self._record.clear()

    def readiness(self) -> str | None:
        """What it still waits for; None when /readyz answers 200."""
        return readiness(self.url)


def readiness(url: str, timeout_s: float = 2) -> str | None:
    """What the service at this URL waits for; None when its /readyz answers 200."""
    return condition(url, timeout_s)[0]


def condition(url: str, timeout_s: float = 2) -> tuple[str | None, list[str]]:
    """What the service at this URL waits for, as `readiness`, and what of it is degraded."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=timeout_s) as answer:
            return None, _said(lambda: list(json.loads(answer.read())["degraded"]), [])
    except urllib.error.HTTPError as refused:
        body = refused.read()
        waits_for = _said(lambda: str(json.loads(body)["error"]["message"]), "its checks")
        return waits_for, _said(lambda: list(json.loads(body)["error"]["details"]["degraded"]), [])
    except (OSError, ValueError):
        return "its start", []


def _said(read: Callable[[], T], otherwise: T) -> T:
    """What an answer says, or `otherwise` where it is not in the form of ours."""
    try:
        return read()
    except (ValueError, KeyError, TypeError):
        return otherwise


class Supervisor:
    """Runs services until `stop`, or until one fails too often.

    `services` are in the order they are stopped.
    """

    def __init__(
        self,
        services: Sequence[SupervisedService],
        on_restart: Callable[[str], None],
        failures_allowed: int = FAILURES_ALLOWED,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.services = services
        self.failure: Exception | None = None
        self._on_restart = on_restart
        self._failures_allowed = failures_allowed
        self._on_tick = on_tick
        """Called some ten times a second."""
        self._rotate_at_s = 0.0
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start all services; returns at once."""
        self._thread.start()

    def wait_ready(self, patience_s: float) -> None:
        """Wait until each service is ready. Raises ServiceFailed naming the one that is not."""
        deadline = time.monotonic() + patience_s
        for service in reversed(self.services):
            while (reason := service.readiness()) is not None:
                self.check()
                if time.monotonic() > deadline:
                    raise ServiceFailed(
                        f"{service.name} is not ready after {patience_s:.0f} s, it waits for "
                        f"{reason}; "
                        f"the end of {service.log}:\n{service_logs.tail(service.log)}"
                    )
                self._ended.wait(TICK_S)

    def check(self) -> None:
        """Raises what made the supervisor give up, if it did."""
        if self.failure is not None:
            raise self.failure

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it gave up (raises why) or `timeout_s` passed (False)."""
        ended = self._ended.wait(timeout_s)
        self.check()
        return ended

    def stop(self) -> None:
        """Stop all services in their order; returns when none is left."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            for service in reversed(self.services):
                service.start()
            while not self._stopping.wait(TICK_S):
                self._tick()
        except Exception as error:
            self.failure = error
            self._ended.set()
            self._stopping.wait()
        finally:
            for service in self.services:
                service.stop()
            self._ended.set()

    def _tick(self) -> None:
        for service in self.services:
            try:
                if service.keep_running(time.monotonic(), self._failures_allowed):
                    self._on_restart(service.name)
            except OSError as error:
                # Not the service's fault: no room for its log, no process to be had. Tried again.
                service.postpone(time.monotonic() + LONGEST_PAUSE_S)
                report(f"{service.name} can't be started: {error}; trying again")
        self._on_tick()
        if time.monotonic() >= self._rotate_at_s:
            self._rotate_at_s = time.monotonic() + _ROTATE_EVERY_S
            service_logs.rotate_all({service.log.parent for service in self.services})
