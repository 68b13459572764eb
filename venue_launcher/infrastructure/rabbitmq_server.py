"""A private RabbitMQ: own node, data, cookie, epmd and ports, on the loopback address only."""

import os
import secrets
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from venue_launcher import ports, processes
from venue_launcher.infrastructure.broker_probe import speaks_amqp
from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import ProcessRecord, wait_until
from venue_launcher.state_folder import write_private

READY_PATIENCE_S = 90.0
_NO_BUSY_WAITING = "+sbwt none +sbwtdcpu none +sbwtdio none"
"""Erlang's schedulers spin while they wait, on cores that others need (RabbitMQ's runtime tuning
guide).
"""
STOP_PATIENCE_S = 20.0
NODE = "venue@localhost"
USER = "venue"


class NodeSettings(msgspec.Struct, frozen=True):
    """What a node keeps across restarts. Ports are None before the first start."""

    password: str = msgspec.field(default_factory=lambda: secrets.token_hex(18))
    port: int | None = None
    distribution_port: int | None = None
    epmd_port: int | None = None


@dataclass(frozen=True)
class RabbitInstallation:
    """Where a RabbitMQ's programs are.

    `path` goes in front of PATH (an `erl` that knows its own root).
    """

    scripts: Path
    epmd: Path
    path: tuple[Path, ...] = ()


class PrivateRabbitMQ:
    """One node in `folder`, run by us; remembers its ports and password there."""

    def __init__(
        self, installation: RabbitInstallation, folder: Path, state_dir: Path, vhost: str = "venue"
    ) -> None:
        self._lock = threading.RLock()
        """One start or stop at a time: a watch may start it again while others end it."""
        self._installation = installation
        self._log = state_dir / "logs" / "rabbitmq.log"
        self._vhost = vhost
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node_record = ProcessRecord(state_dir / "processes" / "rabbitmq.json", signal.SIGTERM)
        self._epmd_record = ProcessRecord(state_dir / "processes" / "epmd.json", signal.SIGTERM)
        self._settings = NodeSettings()
        self._should_run = False
        """Started, and not ended on purpose since: whoever watches it starts it again."""
        self.folder = folder
        self.data_dir = folder / "mnesia"

    @property
    def url(self) -> str:
        """AMQP URL of its administrator, on the virtual host it was made with."""
        return f"amqp://{USER}:{self._settings.password}@127.0.0.1:{self.port}/{self._vhost}"

    @property
    def port(self) -> int:
        """The AMQP port; the same across restarts as long as it is free."""
        if self._settings.port is None:
            raise Unavailable("RabbitMQ was not started yet")
        return self._settings.port

    @property
    def pid(self) -> int | None:
        """The node's pid while it runs."""
        # Read once, and without the lock: another thread may end the node meanwhile.
        node = self._node
        return node.pid if node is not None and node.poll() is None else None

    @property
    def name(self) -> str:
        """What a message calls it."""
        return "RabbitMQ"

    def start(self) -> None:
        """Start and wait until it speaks AMQP. Raises Unavailable."""
        with self._lock:
            if self.pid:
                return
            self.end_leftovers()
            self._prepare()
            self._start_epmd(self._settings.epmd_port or 0)
            self._node = node = processes.start(
                [self._installation.scripts / "rabbitmq-server", "-noinput"],
                log=self._log,
                death_signal=signal.SIGTERM,
                environment=self._environment(),
                folder=self.folder,
            )
            self._node_record.write(node.pid)
            wait_until(
                lambda: speaks_amqp(self.port) or node.poll() is not None,
                READY_PATIENCE_S,
                pause_s=0.1,
            )
            if node.poll() is not None or not speaks_amqp(self.port):
                self._end_both()
                raise Unavailable(f"RabbitMQ does not start: see {self._log}")
            self._should_run = True

    def has_ended(self) -> bool:
        """Whether the node or its name server ended since the start without being asked to, and no
        `restart` has brought it back.
        """
        with self._lock:
            ours = (self._node, self._epmd)
            return self._should_run and any(
                process is None or process.poll() is not None for process in ours
            )

    def restart(self) -> None:
        """Start it again after it ended. Raises Unavailable, also when its port is taken."""
        with self._lock:
            if not self.has_ended():
                return
            before = self._settings
            self._end_both()
            try:
                self.start()
                if self._settings != before:
                    self._end_both()
                    write_private(self._settings_file, msgspec.json.encode(before).decode())
                    raise Unavailable(
                        f"another program has taken one of its ports, such as {before.port}"
                    )
            except (Unavailable, OSError):
                # The next try wants the same ports again, whatever this one wrote down.
                self._settings = before
                raise

    @property
    def _settings_file(self) -> Path:
        return self.folder / "settings.json"

    def end_leftovers(self) -> None:
        """Stop what a killed launcher left running here."""
        self._node_record.end_leftover()
        self._epmd_record.end_leftover()

    def _prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._choose_settings()
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, secrets.token_hex(16))
            cookie.chmod(0o400)
        (self.folder / "enabled_plugins").write_text("[].\n")
        lines = {
            "default_user": USER,
            "default_pass": self._settings.password,
            "default_vhost": self._vhost,
        }
        write_private(
            self.folder / "rabbitmq.conf",
            "".join(f"{key} = {value}\n" for key, value in lines.items()),
        )

    def _choose_settings(self) -> None:
        """Password as before, ports as before where they are still free."""
        path = self._settings_file
        known = self._settings
        if known.port is None and path.exists():
            known = msgspec.json.decode(path.read_bytes(), type=NodeSettings)
        port = ports.private_port(known.port)
        distribution_port = ports.private_port(known.distribution_port, [port])
        epmd_port = ports.private_port(known.epmd_port, [port, distribution_port])
        self._settings = NodeSettings(known.password, port, distribution_port, epmd_port)
        write_private(path, msgspec.json.encode(self._settings).decode())

    def _environment(self) -> dict[str, str]:
        kept: Mapping[str, str] = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("RABBITMQ_", "ERL_", "VENUE_"))
        }
        path = [
            *map(str, self._installation.path),
            kept.get("PATH", ""),
            "/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        return dict(kept) | {
            "PATH": ":".join(filter(None, path)),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._settings.epmd_port),
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._settings.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.data_dir),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
            "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-kernel inet_dist_use_interface {{127,0,0,1}} {_NO_BUSY_WAITING}"
            ),
        }

    def _start_epmd(self, port: int) -> None:
        """An epmd of its own in the foreground: the node would start one that outlives it."""
        self._epmd = processes.start(
            [self._installation.epmd, "-address", "127.0.0.1", "-port", str(port)],
            log=self._log,
            death_signal=signal.SIGKILL,
            environment=self._environment(),
        )
        self._epmd_record.write(self._epmd.pid)
        if not wait_until(lambda: ports.accepts(port), 10):
            self._end_both()
            raise Unavailable(f"RabbitMQ's name server epmd does not start: see {self._log}")

    def control(self, *arguments: str) -> None:
        """Run rabbitmqctl against this node. Raises Unavailable with what it said."""
        command = [str(self._installation.scripts / "rabbitmqctl"), "-q", *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=self._environment(),
            cwd=self.folder,
            check=False,
        )
        if done.returncode:
            raise Unavailable(
                f"rabbitmqctl {arguments[0]} failed: {(done.stderr or done.stdout).strip()}"
            )

    def stop(self) -> None:
        """Orderly shutdown of node and epmd."""
        with self._lock:
            self._should_run = False
            self._end_both()

    def kill(self) -> None:
        """SIGKILL the node, as a crash would be; data and epmd stay."""
        with self._lock:
            self._should_run = False
            self._end_node(signal.SIGKILL, 5)

    def _end_both(self) -> None:
        self._end_node(signal.SIGTERM, STOP_PATIENCE_S)
        epmd, self._epmd = self._epmd, None
        if epmd is not None:
            processes.stop(epmd, signal.SIGTERM, 2)
            self._epmd_record.clear()

    def _end_node(self, number: int, patience_s: float) -> None:
        node, self._node = self._node, None
        if node is not None:
            processes.stop(node, number, patience_s)
        self._node_record.clear()

    def erase(self) -> None:
        """Stop and remove all that it stored."""
        self.stop()
        self.end_leftovers()
        shutil.rmtree(self.folder, ignore_errors=True)
