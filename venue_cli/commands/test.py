"""`./venue test`: linters, types, import contracts and tests, on real servers as the venue's."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from venue_cli.commands import options
from venue_launcher import learner_packages, processes, state_folder
from venue_launcher.servers_for_tests import servers_for_tests
from venue_launcher.state_folder import CHECKOUT
from venue_launcher.terminal import paint, report

_NEED_NO_SERVER = ("unit", "architecture", "environments")
KINDS = (*_NEED_NO_SERVER, "contract", "simulation", "integration", "acceptance")
"""Folders of tests, the cheapest first."""
_ENVIRONMENTS = "tests/environments"
_WAITING = "integration"
_TRIALS = "tests/integration/venue_trials"
"""They start servers of their own, and make the two halves of a whole run about equally long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--changed and --infrastructure; all else is pytest's."""
    parser.usage = "./venue test [--infrastructure WAY] [--changed] [KIND ...] [PYTEST ARGUMENTS]"
    parser.epilog = (
        f"KIND, the cheapest first: {', '.join(KINDS)} ({', '.join(_NEED_NO_SERVER)} "
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
    if kinds and set(kinds) <= set(_NEED_NO_SERVER) and not arguments.changed:
        return _summary({"pytest": _pytest(chosen, state_dir, {})})
    results = {} if chosen else _checks(state_dir)
    with servers_for_tests(arguments.infrastructure, venue_dir, 1 if chosen else 2) as servers:
        results["pytest"] = (
            _pytest(chosen, state_dir, servers[0]) if chosen else _whole_pytest(state_dir, servers)
        )
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
    servers = servers | _learner_packages(chosen, state_dir)
    return _run("pytest", _module("pytest", "-o", cache, *chosen), state_dir, servers)


def _learner_packages(chosen: Sequence[str], state_dir: Path) -> dict[str, str]:
    """The path on which the extra packages of environments for learners are found too."""
    paths = [word for word in chosen if word.startswith("tests")]
    if paths and not any(word.startswith(_ENVIRONMENTS) for word in paths):
        return {}
    place = learner_packages.install(state_dir)
    before = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return {"PYTHONPATH": os.pathsep.join([*before, str(place)])}


def _whole_pytest(state_dir: Path, servers: Sequence[dict[str, str]]) -> bool:
    """All tests in two processes at once: those of integration mostly wait, the others work."""
    others = [*(f"tests/{kind}" for kind in KINDS if kind != _WAITING), _TRIALS]
    output = state_dir / "pytest.out"
    # Before the second process begins: they may not be to be had.
    _learner_packages(others, state_dir)
    with output.open("w+b") as stream:
        chosen = (f"tests/{_WAITING}", f"--ignore={_TRIALS}")
        waiting = _module("pytest", "-o", f"cache_dir={state_dir / _WAITING}", *chosen)
        beside = subprocess.Popen(
            waiting,
            cwd=CHECKOUT,
            env=_variables(state_dir, servers[1]),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            passed = _pytest(others, state_dir, servers[0])
            report(f"tests of {_WAITING} …")
            return beside.wait() == 0 and passed
        finally:
            processes.stop(beside, signal.SIGINT, 60)
            print(output.read_text(errors="replace"), flush=True)


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
    """Run a command in the checkout."""
    report(f"{name} …")
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=_variables(state_dir, servers),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    report(
        f"{name}: {'passed' if done.returncode == 0 else 'FAILED'} in "
        f"{time.monotonic() - started:.1f} s"
    )
    return done.returncode == 0


def _variables(state_dir: Path, servers: dict[str, str]) -> dict[str, str]:
    """Caches elsewhere: the checkout may be read-only."""
    caches = {
        "RUFF_CACHE_DIR": str(state_dir / "ruff"),
        "MYPY_CACHE_DIR": str(state_dir / "mypy"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(state_dir / "hypothesis"),
    }
    return os.environ | servers | caches


def _summary(results: dict[str, bool]) -> int:
    failed = [name for name, passed in results.items() if not passed]
    if failed:
        report(paint(f"failed: {', '.join(failed)}", "red", sys.stderr))
        return 1
    report(paint(f"all passed: {', '.join(results)}", "green", sys.stderr))
    return 0
