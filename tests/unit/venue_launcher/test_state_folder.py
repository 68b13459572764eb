"""Where the state goes when the checkout is not ours to write."""

from pathlib import Path

import pytest

from venue_launcher import state_folder


def test_state_is_in_the_checkout_when_it_can_be_written(tmp_path: Path) -> None:
    assert state_folder.choose(tmp_path, {"HOME": str(tmp_path / "home")}) == tmp_path / ".venue"


def test_venue_home_overrides_every_other_place(tmp_path: Path) -> None:
    assert state_folder.choose(tmp_path, {"VENUE_HOME": str(tmp_path / "own")}) == tmp_path / "own"


def test_unusable_checkout_sends_the_state_to_the_home(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / ".venue").write_text("a file where the folder should be")
    home = tmp_path / "home"
    assert state_folder.choose(checkout, {"HOME": str(home)}).is_relative_to(home)


def test_without_a_home_the_state_goes_to_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / ".venue").write_text("taken")
    assert state_folder.choose(tmp_path, {}).parent == tmp_path / "temporary"


def test_another_checkout_has_another_folder() -> None:
    assert state_folder.checkout_hash(Path("/a")) != state_folder.checkout_hash(Path("/b"))


def test_no_usable_place_says_to_set_venue_home(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(state_folder.StateFolderError, match="VENUE_HOME"):
        state_folder.choose(tmp_path, {"VENUE_HOME": str(tmp_path / "taken")})
