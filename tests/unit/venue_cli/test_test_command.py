"""The checks of `./venue test` bite."""

import importlib.util
import os
import subprocess
from pathlib import Path

import yaml

from venue_cli.commands import test as command
from venue_launcher.state_folder import CHECKOUT

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


def test_the_first_words_name_kinds_of_tests_and_all_else_is_pytests() -> None:
    assert command.split_kinds(["unit", "contract", "-k", "unit"]) == (
        ["unit", "contract"],
        ["-k", "unit"],
    )
    assert command.split_kinds(["tests/unit", "unit"]) == ([], ["tests/unit", "unit"])
    assert command.split_kinds([]) == ([], [])


def test_each_folder_of_tests_is_a_kind() -> None:
    tests = (CHECKOUT / "tests").rglob("test_*.py")
    folders = {path.relative_to(CHECKOUT).parts[1] for path in tests}
    assert set(command.KINDS) == folders


def test_the_hooks_run_the_tools_of_the_environment_and_download_nothing() -> None:
    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        python, *arguments = hook["entry"].split()
        assert (hook["language"], python) == ("system", ".venv/bin/python")
        tool = arguments[arguments.index("-m") + 1]
        assert importlib.util.find_spec(tool) is not None
