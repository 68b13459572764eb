"""The environment is made once per lock, and an unfinished one is never taken for a finished
one.
"""

from pathlib import Path

import pytest

from venue_launcher import bootstrap
from venue_launcher.state_folder import CHECKOUT


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(
        "uv==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "zope==2 \\\n    --hash=sha256:cc\n"
    )
    return path


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    return tmp_path / "venv"


def test_environment_without_a_stamp_is_incomplete(environment: Path, lock: Path) -> None:
    assert not bootstrap.is_complete(environment, bootstrap.stamp_of(lock))


def test_stamped_environment_is_complete_until_the_lock_changes(
    environment: Path, lock: Path
) -> None:
    (environment / bootstrap.STAMP).write_text(bootstrap.stamp_of(lock))
    assert bootstrap.is_complete(environment, bootstrap.stamp_of(lock))
    lock.write_text(lock.read_text() + "# newer\n")
    assert not bootstrap.is_complete(environment, bootstrap.stamp_of(lock))


def test_stamped_environment_without_its_python_is_incomplete(
    environment: Path, lock: Path
) -> None:
    (environment / bootstrap.STAMP).write_text(bootstrap.stamp_of(lock))
    (environment / "bin" / "python").unlink()
    assert not bootstrap.is_complete(environment, bootstrap.stamp_of(lock))


def test_interrupted_installation_leaves_no_stamp(
    environment: Path, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (environment / bootstrap.STAMP).write_text("of an older lock")
    monkeypatch.setattr(bootstrap, "is_healthy", lambda _: True)
    monkeypatch.setattr(bootstrap, "install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure(environment, lock, tmp_path)
    assert not (environment / bootstrap.STAMP).exists()


def test_a_moved_environment_is_made_anew_and_then_names_its_new_place(
    environment: Path, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot's file would import the code of the old place, and scripts would start its Python."""
    packages = environment / "lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (packages / bootstrap.PATH_FILE).write_text("/where/it/was\n")
    (environment / bootstrap.STAMP).write_text(bootstrap.stamp_of(lock))
    made: list[Path] = []
    monkeypatch.setattr(bootstrap, "is_healthy", lambda _: True)
    monkeypatch.setattr(bootstrap, "create", made.append)
    monkeypatch.setattr(bootstrap, "install", lambda *_: None)
    bootstrap.ensure(environment, lock, tmp_path)
    assert made == [environment]
    assert bootstrap.named_checkout(environment) == str(CHECKOUT)
    bootstrap.ensure(environment, lock, tmp_path)
    assert made == [environment]


def test_uv_is_installed_from_its_own_hashed_lines_alone(
    environment: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "run_installer", lambda *_: True)
    bootstrap.install_uv(["pip"], environment, lock, {})
    written = (environment / "uv.lock.txt").read_text()
    assert written == "uv==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "does not match its hash",
        ),
        ("Temporary failure in name resolution", "check the network"),
        (
            "ERROR: Could not find a version that satisfies the requirement flask",
            "check the network",
        ),
        ("first line\nno space left on device\n", "no space left on device"),
    ],
)
def test_a_failed_installation_is_explained_in_one_sentence(said: str, advice: str) -> None:
    assert advice in bootstrap.explain(said)
    assert "\n" not in bootstrap.explain(said)


def test_a_user_without_a_home_gets_a_cache_in_the_state(tmp_path: Path) -> None:
    assert bootstrap.installer_variables({}, tmp_path)["UV_CACHE_DIR"].startswith(str(tmp_path))


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    for path in (
        CHECKOUT / bootstrap.LOCK_FILE,
        CHECKOUT / "venue_launcher/infrastructure/postgres_wheel.lock",
    ):
        text = path.read_text()
        assert "://" not in text and "--index" not in text and "--find-links" not in text
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
        assert pins and all(line.endswith("\\") for line in pins), "a pin without a hash"
