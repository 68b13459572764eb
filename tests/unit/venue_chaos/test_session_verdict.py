"""Phases and bands that were lost, repeated, changed or moved are found."""

import pytest

from venue_chaos.evidence import Commanded, Evidence
from venue_chaos.verdict import SessionRow, session_violations
from venue_protocol.commands import SetPhase, SetVolatilityBands

CLOSE = SetPhase("admin", "closed", None, "day 1")
AUCTION = SetPhase("admin", "reopening_auction", "AAPL", "day 2", 3_000_000)
BANDS = SetVolatilityBands("admin", "AAPL", 50, 1_000_000, 1, 1, 1)
ROWS: list[SessionRow] = [(0, 4, CLOSE), (0, 6, AUCTION), (0, 9, BANDS)]
STORED = {(0, ""): 4, (0, "AAPL"): 6}


@pytest.fixture
def evidence() -> Evidence:
    found = Evidence(bands={(0, 9): ("AAPL", 50)})
    found.command("day 1", Commanded("closed", None, None, asked=2, is_known=True, logged=[(0, 4)]))
    found.command("day 2", Commanded("reopening_auction", "AAPL", 3, asked=1, is_known=True))
    return found


def test_what_was_told_and_logged_is_no_violation(evidence: Evidence) -> None:
    assert list(session_violations(ROWS, STORED, evidence)) == []


def test_a_phase_asked_for_again_may_be_logged_again(evidence: Evidence) -> None:
    assert list(session_violations([(0, 3, CLOSE), *ROWS], STORED, evidence)) == []
    (found,) = session_violations([(0, 2, CLOSE), (0, 3, CLOSE), *ROWS], STORED, evidence)
    assert "asked for 2 times" in found


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS[1:], "phase 'day 1' was told"),
        ([(0, 5, CLOSE), *ROWS[1:]], "phase 'day 1' was told"),
        ([ROWS[0], ROWS[2]], "phase 'day 2' was told"),
        (ROWS[:2], "bands ('AAPL', 50) were told"),
        ([*ROWS, (0, 10, SetPhase("admin", "halted", None, "day 3"))], "commanded None"),
    ],
)
def test_a_phase_or_band_that_is_lost_moved_or_from_nowhere_is_found(
    evidence: Evidence, rows: list[SessionRow], said: str
) -> None:
    stored = {(0, ""): 99, (0, "AAPL"): 99}
    assert said in " ".join(session_violations(rows, stored, evidence))


def test_a_phase_that_differs_from_the_one_sent_is_found(evidence: Evidence) -> None:
    evidence.commanded["day 2"].lasts_s = 4
    assert "reopening_auction" in " ".join(session_violations(ROWS, STORED, evidence))


def test_a_door_that_goes_by_an_older_phase_is_found(evidence: Evidence) -> None:
    (found,) = session_violations(ROWS, STORED | {(0, "AAPL"): 4}, evidence)
    assert "the door goes by 4" in found
