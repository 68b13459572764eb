"""The service loop: threads that may not die quietly, readiness, an HTTP server, a clean stop."""

import gc
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from service_runtime import logs
from service_runtime.http.buffering_worker import PatientWorker
from service_runtime.http.socket_timeouts import limit_silence
from service_runtime.settings import Settings

log = logging.getLogger(__name__)

FATAL_EXIT_CODE = 3
"""gunicorn's code for "do not start this worker again": its master ends too, so the launcher sees
it.
"""
_STOP_GRACE_S = 5
_MASTER_GRACE_S = 20
"""Draining, threads, flush and close together; after it the master kills."""
_OPEN_FILES = 65_536


class Service:
    """One process of the venue: an HTTP server and the threads that do its work."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.stopping = threading.Event()
        """Set once the service shall end; loops look at it at least every half second."""
        self._checks: dict[str, Callable[[], bool]] = {}
        self._threads: list[threading.Thread] = []
        self._on_stop: list[Callable[[], object]] = []

    def add_check(self, name: str, is_ready: Callable[[], bool]) -> None:
        """/readyz says no, and names this check, while `is_ready` is false."""
        self._checks[name] = is_ready

    def unready(self) -> list[str]:
        """Names of the checks that fail now."""
        return [name for name, is_ready in self._checks.items() if not _holds(name, is_ready)]

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
                _end_loudly(name)

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

    def run(self, build: Callable[["Service"], Flask], threads: int = 16) -> None:
        """Serve the app that `build` wires, until SIGTERM or SIGINT.

        `build` runs in the serving process.
        """
        logs.configure(self.name, self.settings.log_level)
        _allow_open_files(_OPEN_FILES)
        _Server(self, build, threads).run()


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with one threaded worker: one process owns the service's state."""

    def __init__(self, service: Service, build: Callable[[Service], Flask], threads: int) -> None:
        self._service = service
        self._build = build
        self._threads = threads
        super().__init__()

    def load_config(self) -> None:
        settings = self._service.settings
        options: dict[str, Any] = {
            "bind": f"{settings.host}:{settings.port}",
            "workers": 1,
            "worker_class": PatientWorker,
            "threads": self._threads,
            "worker_connections": 4096,
            "keepalive": 75,
            "timeout": 60,
            "graceful_timeout": _MASTER_GRACE_S,
            "backlog": 2048,
            "proc_name": self._service.name,
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "when_ready": lambda server: limit_silence(server.LISTENERS),
            "post_worker_init": lambda _worker: log.info(
                "service started", extra={"host": settings.host, "port": settings.port}
            ),
            "worker_exit": lambda _server, worker: _leave(self._service, worker.pid),
            "logger_class": "service_runtime.http.gunicorn_logs.QuietLogger",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = self._build(self._service)
        # Messages live briefly and form no cycles: frequent full collections would only pause the
        # hot loops.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        return app


def _holds(name: str, is_ready: Callable[[], bool]) -> bool:
    """Whether the check says yes; one that raises says no."""
    try:
        return is_ready()
    except Exception:
        log.warning("readiness check failed", exc_info=True, extra={"check": name})
        return False


def _end_loudly(worker: str) -> None:
    """End the process whatever else goes wrong: a service that lost a thread must not look
    alive.
    """
    try:
        log.critical(
            "invariant broken or unhandled fault, stopping", exc_info=True, extra={"worker": worker}
        )
    finally:
        os._exit(FATAL_EXIT_CODE)


def _leave(service: Service, worker_pid: int) -> None:
    """Stop, and end the process with the code it was about to end with: idle WebSocket threads
    would hold it back.
    """
    if os.getpid() != worker_pid:
        return
    leaving = sys.exc_info()[1]
    service.stop()
    code = leaving.code if isinstance(leaving, SystemExit) else 1
    os._exit(code if isinstance(code, int) else 0)


def _allow_open_files(wanted: int) -> None:
    """Raise the soft limit of file descriptors: each client takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
