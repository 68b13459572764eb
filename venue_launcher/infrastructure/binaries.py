"""Finds installed programs of Postgres and RabbitMQ."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from venue_launcher.infrastructure.accounts import may_pass
from venue_launcher.infrastructure.rabbitmq_server import RabbitInstallation
from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import Account

POSTGRES_GLOBS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/pgsql/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
RABBITMQ_GLOBS = (
    "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "usr/lib/rabbitmq/bin",
    "opt/rabbitmq/sbin",
    "opt/homebrew/opt/rabbitmq/sbin",
    "usr/local/opt/rabbitmq/sbin",
)
EPMD_GLOBS = (
    "usr/lib/erlang/erts-*/bin/epmd",
    "usr/lib64/erlang/erts-*/bin/epmd",
    "usr/local/lib/erlang/erts-*/bin/epmd",
)


def installed_postgres(account: Account | None, root: Path = Path("/")) -> Path:
    """Folder with `postgres` and `initdb` that `account` may run; the newest version first.

    Raises Unavailable.
    """
    on_path = filter(None, map(shutil.which, ("postgres",)))
    folders = [Path(os.path.realpath(found)).parent for found in on_path]
    folders += newest_first(root, POSTGRES_GLOBS)
    for folder in folders:
        if all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")) and may_pass(
            folder, account
        ):
            return folder
    raise Unavailable(
        "no postgres program is installed (looked on PATH and in /usr/lib/postgresql/*/bin)"
    )


def installed_rabbitmq(root: Path = Path("/")) -> RabbitInstallation:
    """The RabbitMQ installed here. Raises Unavailable.

    Debian's programs on PATH are wrappers that insist on root or rabbitmq: the real ones come
    first.
    """
    on_path = [
        Path(os.path.realpath(found)).parent
        for found in filter(None, [shutil.which("rabbitmq-server")])
    ]
    for folder in [*newest_first(root, RABBITMQ_GLOBS), *on_path]:
        if all(os.access(folder / name, os.X_OK) for name in ("rabbitmq-server", "rabbitmqctl")):
            return RabbitInstallation(folder, installed_epmd(root))
    raise Unavailable(
        "no rabbitmq-server program is installed (looked on PATH and in /usr/lib/rabbitmq)"
    )


def installed_epmd(root: Path = Path("/")) -> Path:
    """Erlang's name server. Raises Unavailable."""
    found = shutil.which("epmd")
    candidates = [Path(found)] if found else []
    for program in [*candidates, *newest_first(root, EPMD_GLOBS)]:
        if os.access(program, os.X_OK):
            return program
    raise Unavailable("RabbitMQ is installed but Erlang's epmd is not")


def newest_first(root: Path, patterns: Iterable[str]) -> list[Path]:
    """What the patterns find below `root`, the highest version numbers of each pattern first."""
    return [
        path
        for pattern in patterns
        for path in sorted(root.glob(pattern), key=_version, reverse=True)
    ]


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
