"""The checks of `./venue test` bite."""

import os
import subprocess
from pathlib import Path

from venue_cli.commands import test as command

BROKEN = """
[importlinter]
root_package = sample
[importlinter:contract:one]
name = a knows nothing of b
type = forbidden
source_modules = sample.a
forbidden_modules = sample.b
"""


def checked(project: Path) -> int:
    variables = os.environ | {"PYTHONPATH": str(project)}
    contracts = command.import_contracts(project / "cache")
    return subprocess.run(
        contracts, cwd=project, env=variables, capture_output=True, check=False
    ).returncode


def test_a_broken_import_contract_fails_and_a_kept_one_passes(tmp_path: Path) -> None:
    package = tmp_path / "sample"
    package.mkdir()
    (tmp_path / ".importlinter").write_text(BROKEN)
    for name in ("__init__", "b"):
        (package / f"{name}.py").touch()
    (package / "a.py").write_text("import sample.b\n")
    assert checked(tmp_path) == 1
    (package / "a.py").write_text("")
    assert checked(tmp_path) == 0
