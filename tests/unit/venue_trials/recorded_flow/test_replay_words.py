"""What the person at the terminal reads: a wrong file, and the verdict."""

from pathlib import Path

import pytest

from venue_cli import console
from venue_trials.recorded_flow.orders import make_plan, verdict
from venue_trials.recorded_flow.outcome import Outcome
from venue_trials.recorded_flow.sender import Sent
from venue_trials.recorded_flow.steps import Levels

HEADER = "seq,type,side,ioc,qty,order_id,price_ticks\n"


@pytest.fixture(autouse=True)
def no_venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is looked at before a venue is started: starting one would fail the test."""

    def start(*_: object, **__: object) -> None:
        raise AssertionError("a venue was asked for")

    monkeypatch.setenv("VENUE_HOME", str(tmp_path))
    monkeypatch.setattr("venue_launcher.signals.install", lambda: None)
    monkeypatch.setattr("venue_launcher.running_venue.attach_or_start", start)


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, [], "orders.csv can't be read: No such file or directory"),
        (b"hello\n", [], "orders.csv is no recording of orders: it begins neither as"),
        (b"\xff", [], "orders.csv is no recording of orders: it is no plain text"),
        (HEADER.encode(), ["--limit", "0"], "--limit must be at least 1"),
    ],
)
def test_a_file_that_can_not_be_played_is_one_line_before_any_venue_is_started(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    options: list[str],
    says: str,
) -> None:
    file = tmp_path / "orders.csv"
    if content is not None:
        file.write_bytes(content)
    assert console.main(["replay", "orders", str(file), *options]) == 1
    said = capsys.readouterr().err
    assert says in said and len(said.splitlines()) == 1


def outcome(tmp_path: Path, rows: str, levels: Levels | None = None) -> Outcome:
    """What a venue did that did all as expected, or left other levels."""
    file = tmp_path / "o.orders.csv"
    file.write_text(HEADER + rows)
    plan = make_plan(file)
    return Outcome("RPL", plan, Sent(), list(plan.expected_fills), levels or plan.expected_levels)


def test_a_replay_without_a_fill_says_that_none_was_expected(tmp_path: Path) -> None:
    said = verdict(outcome(tmp_path, "0,N,B,0,5,1,20000\n"))
    assert said == (
        "the final book is exactly the expected one; "
        "no order of these 1 messages traded, as expected"
    )
    other = verdict(outcome(tmp_path, "0,N,B,0,5,1,20000\n", Levels([], [])))
    assert other.startswith("DIFFERENT: the final book is")


def test_a_replay_with_fills_says_that_they_are_the_expected_ones(tmp_path: Path) -> None:
    said = verdict(outcome(tmp_path, "0,N,B,0,5,1,20000\n1,N,S,0,5,2,20000\n"))
    assert said == "fills and final book are exactly the expected ones"
