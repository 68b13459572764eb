"""`./venue test`: linters, types, import contracts and tests, on real servers as the venue's."""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from venue_cli.commands import options
from venue_launcher import learner_packages, processes, state_folder
from venue_launcher.infrastructure import finder, memory
from venue_launcher.infrastructure.ways import OWN_WAYS
from venue_launcher.signals import shielded
from venue_launcher.state_folder import CHECKOUT
from venue_launcher.terminal import paint, report

KINDS = (
    "unit",
    "architecture",
    "environments",
    "contract",
    "simulation",
    "integration",
    "acceptance",
)
"""Folders of tests, the cheapest first."""
WITHOUT_SERVERS = {"unit", "architecture", "environments"}
_ENVIRONMENTS = "tests/environments"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--changed and --infrastructure; all else is pytest's."""
    parser.usage = "./venue test [--infrastructure WAY] [--changed] [KIND ...] [PYTEST ARGUMENTS]"
    parser.epilog = (
        f"KIND, the cheapest first: {', '.join(KINDS)} ({' and '.join(sorted(WITHOUT_SERVERS))} "
        "need no server). Without KIND, --changed and PYTEST ARGUMENTS, all tests run, and ruff, "
        "mypy and the import contracts are checked too."
    )
    parser.add_argument(
        "--changed",
        action="store_true",
        help="the tests of what differs from main, by imports (the rule: tests/changed.py)",
    )
    options.add_infrastructure(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when every check passed."""
    venue_dir = state_folder.choose()
    state_dir = venue_dir / "test"
    kinds, chosen = split_kinds(arguments.extra)
    if arguments.changed:
        changed = _changed()
        if not changed:
            report("nothing has changed since main")
            return 0
        chosen = changed + chosen
    chosen = [f"tests/{kind}" for kind in kinds] + chosen
    processes.end_leftovers(state_dir / "processes")
    if kinds and set(kinds) <= WITHOUT_SERVERS and not arguments.changed:
        return _summary({"pytest": _pytest(chosen, state_dir, {})})
    results = {} if chosen else _checks(state_dir)
    results["pytest"] = _pytest_on_servers(arguments.infrastructure, chosen, venue_dir)
    return _summary(results)


def split_kinds(extra: Sequence[str]) -> tuple[list[str], list[str]]:
    """The kinds that arguments begin with, and pytest's arguments behind them.

    >>> split_kinds(["unit", "contract", "-k", "unit"])
    (['unit', 'contract'], ['-k', 'unit'])
    """
    count = next((at for at, word in enumerate(extra) if word not in KINDS), len(extra))
    return list(extra[:count]), list(extra[count:])


def _changed() -> list[str]:
    command = _module("tests.changed")
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.split()


def _pytest(chosen: Sequence[str], state_dir: Path, servers: dict[str, str]) -> bool:
    cache = f"cache_dir={state_dir / 'pytest'}"
    paths = [word for word in chosen if word.startswith("tests")]
    if not paths or any(word.startswith(_ENVIRONMENTS) for word in paths):
        servers = servers | {"PYTHONPATH": _with_learner_packages(state_dir)}
    return _run("pytest", _module("pytest", "-o", cache, *chosen), state_dir, servers)


def _with_learner_packages(state_dir: Path) -> str:
    """The path on which the extra packages of environments for learners are found too."""
    place = learner_packages.install(state_dir)
    before = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*([before] if before else []), str(place)])


def _pytest_on_servers(way: str | None, chosen: Sequence[str], venue_dir: Path) -> bool:
    """Run pytest with a virtual host of its own, which is deleted afterwards."""
    state_dir = venue_dir / "test"
    found = finder.start(way or _own_way(venue_dir), state_dir, report)
    vhost = f"venue_test_{secrets.token_hex(4)}"
    try:
        servers = {
            "VENUE_TEST_POSTGRES_URL": found.postgres_url,
            "VENUE_TEST_BROKER_URL": found.create_vhost(vhost),
        }
        return _pytest(chosen, state_dir, servers)
    finally:
        with shielded():
            found.delete_vhost(vhost)
            found.delete_own_vhost()
            found.stop()


def _own_way(venue_dir: Path) -> str | None:
    """How the venue of this checkout has servers of its own, if it has."""
    known = memory.recall(venue_dir)
    is_own = (
        known is not None
        and known.postgres_way == known.broker_way
        and known.broker_way in OWN_WAYS
    )
    return known.broker_way if known is not None and is_own else None


def _checks(state_dir: Path) -> dict[str, bool]:
    """Whether the checks that need no server passed, by name."""
    commands = {
        "ruff check": _module("ruff", "check", "."),
        "ruff format": _module("ruff", "format", "--check", "."),
        "mypy": _module("mypy"),
        "import contracts": import_contracts(state_dir / "import-linter"),
    }
    return {name: _run(name, command, state_dir, {}) for name, command in commands.items()}


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def import_contracts(cache: Path) -> list[str]:
    """By its script: `python -m importlinter.cli` checks nothing and says that all is well."""
    return [str(Path(sys.executable).with_name("lint-imports")), "--cache-dir", str(cache)]


def _run(name: str, command: Sequence[str], state_dir: Path, servers: dict[str, str]) -> bool:
    """Run a command in the checkout, with caches elsewhere: the checkout may be read-only."""
    report(f"{name} …")
    variables = (
        os.environ
        | servers
        | {
            "RUFF_CACHE_DIR": str(state_dir / "ruff"),
            "MYPY_CACHE_DIR": str(state_dir / "mypy"),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(state_dir / "hypothesis"),
        }
    )
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=CHECKOUT, env=variables, stdin=subprocess.DEVNULL, check=False
    )
    report(
        f"{name}: {'passed' if done.returncode == 0 else 'FAILED'} in "
        f"{time.monotonic() - started:.1f} s"
    )
    return done.returncode == 0


def _summary(results: dict[str, bool]) -> int:
    failed = [name for name, passed in results.items() if not passed]
    if failed:
        report(paint(f"failed: {', '.join(failed)}", "red", sys.stderr))
        return 1
    report(paint(f"all passed: {', '.join(results)}", "green", sys.stderr))
    return 0
