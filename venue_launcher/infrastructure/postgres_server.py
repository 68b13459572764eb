"""A private Postgres: own data folder, Unix socket only, fsync on."""

import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from venue_launcher import processes
from venue_launcher.bootstrap import last_line
from venue_launcher.infrastructure.accounts import own_folder, socket_folder
from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import Account, ProcessRecord, wait_until

READY_PATIENCE_S = 60.0
RECOVERY_PATIENCE_S = 600.0
"""With max_wal_size of 2 GB, replaying the log takes a minute or two on a slow disk."""
_PAUSE_S = 0.2
_SETTINGS = """
# Settings of the venue. Rarer checkpoints write fewer whole pages; still rarer ones would make the
# start after a crash long. A commit still waits for its fsync.
shared_buffers = 256MB
max_wal_size = 2GB
"""
STOP_PATIENCE_S = 30.0
INITDB = ("-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")


class PrivatePostgres:
    """One server in `folder`, run from the binaries in `binaries` by `account` (None: by us)."""

    def __init__(
        self, binaries: Path, folder: Path, account: Account | None, state_dir: Path
    ) -> None:
        self._lock = threading.RLock()
        """One start or stop at a time: a watch may start it again while others end it."""
        self._binaries = binaries
        self._account = account
        self._log = state_dir / "logs" / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._should_run = False
        """Started, and not ended on purpose since: whoever watches it starts it again."""
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        self._socket_folder = socket_folder(folder / "socket", name)
        self._record = ProcessRecord(state_dir / "processes" / "postgres.json", signal.SIGINT)
        self.folder = folder
        self.data_dir = folder / "data"

    @property
    def url(self) -> str:
        """libpq URL of the server's superuser, through the socket."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_folder), safe='')}"

    @property
    def pid(self) -> int | None:
        """The postmaster's pid while it runs."""
        # Read once, and without the lock: another thread may end the server meanwhile.
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def name(self) -> str:
        """What a message calls it."""
        return "Postgres"

    def start(self) -> None:
        """Start and wait until it answers; makes the data folder first where there is none.

        Raises Unavailable.
        """
        with self._lock:
            if self.pid:
                return
            self._record.end_leftover()
            own_folder(self.folder, self._account)
            own_folder(self._socket_folder, self._account)
            if not (self.data_dir / "PG_VERSION").exists():
                self._initialise()
            deadline = time.monotonic() + READY_PATIENCE_S
            while not self._launch_until_ready(deadline):
                if time.monotonic() > deadline:
                    raise Unavailable(f"Postgres does not start: see {self._log}")
                time.sleep(_PAUSE_S)
            self._should_run = True

    def has_ended(self) -> bool:
        """Whether it ended since its start without being asked to, and no `restart` has brought it
        back.
        """
        with self._lock:
            return self._should_run and self.pid is None

    def restart(self) -> None:
        """Start it again after it ended: it recovers from its log.

        A recovery may take longer than a start; while it does the server is left alone. Raises
        Unavailable when one try fails.
        """
        with self._lock:
            if not self.has_ended():
                return
            self._end(signal.SIGKILL, 5)
            self._record.end_leftover()
            if not self._launch_until_ready(time.monotonic() + RECOVERY_PATIENCE_S):
                raise Unavailable(f"Postgres ended again: {last_line(self._log_end())}")

    def _log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:]

    def _initialise(self) -> None:
        """initdb beside the final place, then rename: an interrupted one leaves nothing half
        made.
        """
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        process = processes.start(
            [self._binaries / "initdb", *INITDB, "-D", partial],
            log=self._log,
            death_signal=signal.SIGKILL,
            environment=self._environment(),
            account=self._account,
        )
        try:
            code = process.wait()
        finally:
            processes.stop(process, signal.SIGKILL, 5)
        if code:
            raise Unavailable(f"initdb failed: {last_line(self._log.read_text(errors='replace'))}")
        with (partial / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        partial.rename(self.data_dir)

    def _environment(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PG", "VENUE_", "PYTHON", "LC_"))
        }
        return kept | {"LANG": "C.UTF-8", "HOME": str(self.folder)}

    def _launch_until_ready(self, deadline: float) -> bool:
        """Whether one launch came to answer; False when the process ended (killed siblings may
        still hold memory).
        """
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_folder),
            "max_connections": "200",
            "logging_collector": "off",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self._process = process = processes.start(
            [self._binaries / "postgres", "-D", self.data_dir, *options],
            log=self._log,
            death_signal=signal.SIGINT,
            environment=self._environment(),
            account=self._account,
        )
        self._record.write(process.pid)
        wait_until(
            lambda: self.is_ready() or process.poll() is not None, deadline - time.monotonic()
        )
        if process.poll() is None and self.is_ready():
            return True
        processes.stop(process, signal.SIGINT, 5)
        return False

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg2.connect(self.url, connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, what is committed is safe."""
        with self._lock:
            self._should_run = False
            self._end(signal.SIGINT, STOP_PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL, as a crash would be; the data folder stays."""
        with self._lock:
            self._should_run = False
            self._end(signal.SIGKILL, 5)

    def _end(self, number: int, patience_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            processes.stop(process, number, patience_s)
        self._record.clear()

    def erase(self) -> None:
        """Stop and remove all that it stored."""
        self.stop()
        self._record.end_leftover()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self._socket_folder, ignore_errors=True)
