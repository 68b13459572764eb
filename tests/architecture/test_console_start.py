"""The console starts fast: a command loads what it needs, and the databases' machinery only where
one is prepared.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from venue_cli.console import COMMANDS

ROOT = Path(__file__).parents[2]
SLOW = {"alembic", "sqlalchemy", "flask", "prometheus_client"}
DRIVERS = {"pika", "requests", "psycopg2", "msgspec"}
PREPARING = {"provision"}
"""Migrates by itself; the others leave that to the start of a venue."""
LOOK = """
import json, sys
from venue_cli import console
loaded = {}
for arguments in json.loads(sys.argv[1]):
    try:
        console.main(arguments)
    except SystemExit:
        pass
    loaded[" ".join(arguments)] = sorted(name.partition(".")[0] for name in sys.modules)
print("\\n" + json.dumps(loaded))
"""


def loaded_after(commands: list[list[str]], home: Path) -> dict[str, set[str]]:
    """Top-level modules loaded once each of the commands, in this order, was run in one process."""
    environment = dict(os.environ) | {"VENUE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-P", "-c", LOOK, json.dumps(commands)]
    done = subprocess.run(
        program, capture_output=True, text=True, check=True, env=environment, cwd=home
    )
    return {
        command: set(names) for command, names in json.loads(done.stdout.splitlines()[-1]).items()
    }


def test_help_loads_no_library_at_all(tmp_path: Path) -> None:
    assert loaded_after([["--help"]], tmp_path)["--help"] & (SLOW | DRIVERS) == set()


def test_status_loads_no_driver(tmp_path: Path) -> None:
    assert loaded_after([["status"]], tmp_path)["status"] & (SLOW | DRIVERS) == {"msgspec"}


def test_no_command_but_the_preparing_one_loads_the_machinery_of_databases(tmp_path: Path) -> None:
    commands = [[name, "--help"] for name in COMMANDS if name not in PREPARING]
    guilty = {
        command: names & SLOW
        for command, names in loaded_after(commands, tmp_path).items()
        if names & SLOW
    }
    assert guilty == {}


@pytest.mark.parametrize("name", sorted(PREPARING))
def test_the_preparing_command_is_seen_to_load_it(name: str, tmp_path: Path) -> None:
    """Else the test above would look for something that is never there."""
    assert loaded_after([[name, "--help"]], tmp_path)[f"{name} --help"] >= {"sqlalchemy"}
