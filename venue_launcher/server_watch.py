"""Starts our own Postgres and RabbitMQ again when they end: killed, out of memory, a full disk.

The services wait for them and go on by themselves; nobody else would start them.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from venue_launcher.infrastructure.found import PrivateServer
from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.state_file import ServerStatus
from venue_launcher.terminal import Report

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.2
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
"""Longer would make trading wait after a full disk has room again; shorter would only fill logs."""


class ServerWatch:
    """One thread that looks at the servers until `stop`.

    It lives as long as they may: the kernel ends a server with the thread that started it, in the
    orderly way (SIGINT for Postgres, SIGTERM for RabbitMQ).
    """

    def __init__(
        self,
        servers: Sequence[PrivateServer],
        on_change: Callable[[dict[str, ServerStatus]], None],
        report: Report,
        longest_pause_s: float = _LONGEST_PAUSE_S,
    ) -> None:
        self._servers = servers
        self._on_change = on_change
        self._report = report
        self._longest_pause_s = longest_pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="server watch", daemon=True)
        self.statuses = {server.name: ServerStatus(server.pid) for server in servers}

    def start(self) -> None:
        """Begin to look; returns at once."""
        if self._servers:
            self._thread.start()

    def stop(self) -> None:
        """Start nothing any more; servers that this thread started end with it."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            for server in self._servers:
                try:
                    if server.has_ended():
                        self._start_again(server)
                except Exception:
                    # The servers that this thread started would end with it.
                    log.exception("the watch of %s failed; it goes on", server.name)

    def _start_again(self, server: PrivateServer) -> None:
        began_s, since_s, pause_s = time.monotonic(), time.time(), _FIRST_PAUSE_S
        restarts = self.statuses[server.name].restarts
        self._report(f"{server.name} ended; starting it again …")
        self._note(server, ServerStatus(None, restarts, "it ended unasked", since_s))
        while not self._stopping.is_set():
            try:
                server.restart()
            except (Unavailable, OSError) as error:
                self._report(f"{server.name} does not start: {error}; trying again")
                self._note(server, ServerStatus(None, restarts, str(error), since_s))
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, self._longest_pause_s)
                continue
            self._note(server, ServerStatus(server.pid, restarts + 1))
            self._report(f"{server.name} runs again after {time.monotonic() - began_s:.1f} s")
            return

    def _note(self, server: PrivateServer, status: ServerStatus) -> None:
        self.statuses = self.statuses | {server.name: status}
        self._on_change(self.statuses)
