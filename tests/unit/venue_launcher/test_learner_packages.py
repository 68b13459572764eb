"""The packages for learners are installed as the environment itself is: with uv, else with pip."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from venue_launcher import learner_packages
from venue_launcher.bootstrap import BootstrapError


class Installer:
    """Notes what it is asked for; `working` names the programs that succeed."""

    def __init__(self, *working: str) -> None:
        self.working = working
        self.asked: list[str] = []

    def __call__(
        self, command: Sequence[str], variables: Mapping[str, str], is_last: bool = False
    ) -> bool:
        program = command[2]
        assert "--require-hashes" in command and variables["UV_SYSTEM_CERTS"] == "true"
        self.asked.append(program)
        Path(command[command.index("--target") + 1]).mkdir()
        if is_last and program not in self.working:
            raise BootstrapError("the packages can't be downloaded")
        return program in self.working


def installed(folder: Path, patch: pytest.MonkeyPatch, *working: str) -> list[str]:
    installer = Installer(*working)
    patch.setattr(learner_packages, "run_installer", installer)
    assert learner_packages.install(folder).is_dir()
    assert learner_packages.install(folder).is_dir()
    return installer.asked


def test_they_are_installed_once_with_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed(tmp_path, monkeypatch, "uv") == ["uv"]


def test_pip_installs_them_where_uv_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv reads no configuration of pip, such as an index or a certificate of the house."""
    assert installed(tmp_path, monkeypatch, "pip") == ["uv", "pip"]


def test_where_neither_can_have_them_nothing_is_left_and_the_cause_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BootstrapError, match="can't be downloaded"):
        installed(tmp_path, monkeypatch)
    assert list(tmp_path.iterdir()) == []
