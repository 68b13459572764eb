"""Lists of teams: which files are read, which are refused, and who may read the keys."""

from pathlib import Path

import pytest

from venue_competition.teams import names_in, write_keys
from venue_launcher.errors import CommandError


@pytest.mark.parametrize(
    "text",
    ["ann\nbob\n", "team\nann\nbob\n", "mail,Team\na@x,ann\nb@x,bob\n", "ann,1\n\nbob,2\n"],
)
def test_names_are_in_the_column_team_or_in_the_first(tmp_path: Path, text: str) -> None:
    (tmp_path / "teams.csv").write_text(text)
    assert names_in(tmp_path / "teams.csv") == ["ann", "bob"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ann\nann\n", "ann comes twice"),
        ("ann\n-bob\n", "'-bob' (number 2) can't be a team's name"),
        ("population.1\n", "can't be a team's name"),
        ("mail,team\na@x\n", "'' (number 1) can't be a team's name"),
        ("", "there is no team"),
    ],
)
def test_a_list_that_can_not_be_is_refused_whole(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "teams.csv").write_text(text)
    with pytest.raises(CommandError) as refused:
        names_in(tmp_path / "teams.csv")
    assert says in str(refused.value)


def test_keys_are_for_the_organisers_eyes_and_overwrite_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.csv"
    write_keys(path, {"ann": "k1", "bob": "k2"})
    assert path.read_text() == "team,api_key\nann,k1\nbob,k2\n"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="is there already"):
        write_keys(path, {"cat": "k3"})
