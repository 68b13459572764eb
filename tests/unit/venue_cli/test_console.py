"""What the person at the terminal sees when a command is wrong."""

from pathlib import Path

import pytest

from venue_cli import console
from venue_launcher.terminal import paint, table


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENUE_HOME", str(tmp_path))
    monkeypatch.setattr("venue_launcher.signals.install", lambda: None)


@pytest.mark.parametrize("command", console.COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        console.main([command, "--help"])
    assert ended.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["client", "list"], "./venue up"),
        (["security", "list"], "./venue up"),
        (["deposit", "ann", "--cash", "1.00"], "./venue up"),
        (["reset"], "--yes"),
    ],
)
def test_an_impossible_command_says_what_to_do(
    arguments: list[str],
    advice: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert console.main(arguments) == 1
    said = capsys.readouterr().err
    assert advice in said and "Traceback" not in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["bogus"], ["up", "--bogus"], ["client"], []])
def test_a_malformed_command_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        console.main(arguments)
    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_status_of_a_stopped_venue_is_3() -> None:
    assert console.main(["status", "--json"]) == 3


def test_down_of_a_stopped_venue_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.main(["down"]) == 0
    assert "nothing was running" in capsys.readouterr().err


def test_pytest_arguments_keep_their_order() -> None:
    known, unknown = console.parser("test").parse_known_args(
        ["test", "--infrastructure", "private", "tests/unit", "-k", "money", "-x"]
    )
    assert known.infrastructure == "private"
    assert unknown == ["tests/unit", "-k", "money", "-x"]


def test_no_colours_where_they_do_not_show() -> None:
    assert paint("text", "red") == "text"


def test_numbers_stand_flush_right_under_their_heading() -> None:
    rows = [{"client": "ann", "cash": "5.00"}, {"client": "bo", "cash": "10000.00"}]
    assert table(rows, ["client", "cash"]).splitlines() == [
        "client      cash",
        "ann         5.00",
        "bo      10000.00",
    ]


def test_an_empty_table_is_its_heading() -> None:
    assert table([], ["client", "cash"]) == "client  cash"
