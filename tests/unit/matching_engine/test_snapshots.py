"""Snapshot files and who may read them."""

import os
import stat
from pathlib import Path

import pytest

from matching_engine.adapters.snapshots import SnapshotFolder
from matching_engine.domain.engine import MatchingEngine


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_snapshots_are_readable_by_their_owner_alone(tmp_path: Path, umask: int) -> None:
    """Case E11."""
    before = os.umask(umask)
    try:
        SnapshotFolder(str(tmp_path), 0).save(MatchingEngine())
    finally:
        os.umask(before)
    folder = tmp_path / "engine.0"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_of_an_older_version_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "engine.0"
    folder.mkdir(mode=0o755)
    SnapshotFolder(str(tmp_path), 0).save(MatchingEngine())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
