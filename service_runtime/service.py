"""The service loop: threads that may not die quietly, readiness, an HTTP server, a clean stop."""

import gc
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from flask import Flask

from service_runtime import logs
from service_runtime.http.asgi_application import Application
from service_runtime.http.connections import Limits
from service_runtime.http.server import HttpServer
from service_runtime.settings import Settings

log = logging.getLogger(__name__)

FATAL_EXIT_CODE = 3
"""A thread died or the service could not be built: the supervisor starts it again."""
_STOP_GRACE_S = 5
_OPEN_FILES = 65_536
THREADS = 32
"""For the Flask routes of one service: they wait for Postgres, of whose connections there are 8."""
_SWITCH_S = 0.001
_LEAVING = "its stop"


class Service:
    """One process of the venue: an HTTP server and the threads that do its work."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.stopping = threading.Event()
        """Set once the service shall end; loops look at it at least every half second."""
        self._checks: dict[str, Callable[[], bool]] = {}
        self._warnings: dict[str, Callable[[], bool]] = {}
        self._threads: list[threading.Thread] = []
        self._on_stop: list[Callable[[], object]] = []
        self._is_leaving = False

    def add_check(self, name: str, is_ready: Callable[[], bool]) -> None:
        """/readyz says no, and names this check, while `is_ready` is false."""
        self._checks[name] = is_ready

    def unready(self) -> list[str]:
        """Names of the checks that fail now."""
        if self._is_leaving:
            return [_LEAVING]
        return [name for name, is_ready in self._checks.items() if not _holds(name, is_ready)]

    def add_warning(self, name: str, is_degraded: Callable[[], bool]) -> None:
        """/readyz names this as degraded while `is_degraded` is true; the service stays ready."""
        self._warnings[name] = is_degraded

    def degraded(self) -> list[str]:
        """Names of what is not as it should be, though the service can work."""
        return [name for name, is_degraded in self._warnings.items() if is_degraded()]

    def spawn(self, name: str, target: Callable[[], None]) -> None:
        """Run `target` in a thread until `stopping`.

        If it raises, the whole process ends loudly with nothing acked.
        """

        def guarded() -> None:
            try:
                target()
            except BaseException:
                if self.stopping.is_set():
                    log.warning(
                        "thread ended while stopping", exc_info=True, extra={"worker": name}
                    )
                    return
                end_after_fault(name)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def on_stop(self, action: Callable[[], object]) -> None:
        """Run `action` after the threads ended, last added first."""
        self._on_stop.append(action)

    def stop(self) -> None:
        """Ask the threads to end, wait for them, close what was opened."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        deadline_s = time.monotonic() + _STOP_GRACE_S
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline_s - time.monotonic()))
            if thread.is_alive():
                log.warning("thread does not end", extra={"worker": thread.name})
        for action in reversed(self._on_stop):
            try:
                action()
            except Exception:
                log.warning("could not close everything", exc_info=True)
        log.info("service stopped")

    def leave(self) -> None:
        """The stop signal came: from now on the service is not ready."""
        self._is_leaving = True

    def run(
        self, build: Callable[["Service"], Flask | Application], threads: int = THREADS
    ) -> NoReturn:
        """Serve the app that `build` wires, until SIGTERM or SIGINT; ends the process.

        `threads` run the Flask routes.
        """
        logs.configure(self.name, self.settings.log_level)
        _allow_open_files(_OPEN_FILES)
        code = 0
        try:
            self._serve(build, threads)
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            log.critical("the service could not be built or served", exc_info=True)
            code = FATAL_EXIT_CODE
        finally:
            self.stop()
            # Not sys.exit: it would wait for threads that wait for a client or a statement.
            sys.stderr.flush()
            os._exit(code)

    def _serve(self, build: Callable[["Service"], Flask | Application], threads: int) -> None:
        # While `build` waits for the surroundings, a stop signal ends it at once.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _exit_cleanly)
        built = build(self)
        application = Application(built, threads) if isinstance(built, Flask) else built
        # Messages live briefly and form no cycles: frequent full collections would only pause the
        # hot loops.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        # Of Python's 5 ms: the loop's thread must not wait so long after each call of the kernel.
        sys.setswitchinterval(_SWITCH_S)
        host, port = self.settings.host, self.settings.port
        HttpServer(
            application, host, port, limits_of(self.settings), self.leave
        ).serve_until_signal()


def limits_of(settings: Settings) -> Limits:
    """The server's bounds, as far as an organiser may set them."""
    return Limits(
        most=settings.connections,
        most_strangers=settings.connections_without_key,
        most_strangers_of_an_address=settings.connections_without_key_per_address,
        most_of_a_client=settings.connections_per_client,
    )


def end_after_fault(worker: str) -> NoReturn:
    """End the process whatever else goes wrong: a service that lost a part must not look alive."""
    try:
        log.critical(
            "invariant broken or unhandled fault, stopping", exc_info=True, extra={"worker": worker}
        )
    finally:
        os._exit(FATAL_EXIT_CODE)


def _exit_cleanly(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _holds(name: str, is_ready: Callable[[], bool]) -> bool:
    """Whether the check says yes; one that raises says no."""
    try:
        return is_ready()
    except Exception:
        log.warning("readiness check failed", exc_info=True, extra={"check": name})
        return False


def _allow_open_files(wanted: int) -> None:
    """Raise the soft limit of file descriptors: each client takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
