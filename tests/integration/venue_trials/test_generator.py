"""The generator against a mirror: what it sends, counts and admits."""

import socket
from pathlib import Path

import msgspec
import pytest

from venue_trials.load import generator, rows
from venue_trials.load.mirror import mirror
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import CASES, Account, Case, LoadPlan
from venue_trials.load.report_text import lines

ACCOUNTS = [Account(f"c{number}", "key", ["A"]) for number in range(4)]
SIZE = 5


def plan(url: str, case: Case, rate: float = 500.0, seconds: float = 0.4) -> LoadPlan:
    """A short load."""
    size = 1 if case == "http-single" else SIZE
    return LoadPlan(
        url, case, MIXES["usual"], rate, size, seconds, 0.0, ACCOUNTS, 4, "t", patience_s=2.0
    )


@pytest.mark.parametrize("case", CASES)
def test_everything_due_is_sent_answered_and_counted(case: Case, tmp_path: Path) -> None:
    with mirror(1 if case == "http-single" else SIZE) as url:
        result = generator.run(
            msgspec.structs.replace(plan(url, case), rows_path=str(tmp_path / "rows"))
        )
    assert result.due == result.sent == result.answered == result.accepted == 200
    assert (result.unsent, result.unanswered, result.refused) == (0, 0, {})
    assert result.acknowledged.count == result.lateness.count == 200
    found = list(rows.read(tmp_path / "rows"))
    assert sum(row.accepted for row in found) == 200
    assert all(
        row.due_ns <= row.answered_ns and (row.first, row.last) == (1, row.accepted)
        for row in found
    )


def test_the_warm_up_is_sent_and_not_counted() -> None:
    with mirror(SIZE) as url:
        result = generator.run(msgspec.structs.replace(plan(url, "http-lists"), warm_up_s=0.2))
    assert (result.answered, result.acknowledged.count) == (200, 100)


def test_a_venue_that_never_answers_is_not_fast() -> None:
    """What is given up counts with the time it has waited: no coordinated omission."""
    with _Silence() as url:
        slow = msgspec.structs.replace(plan(url, "http-lists"), patience_s=0.3)
        result = generator.run(slow)
    assert (result.answered, result.unsent + result.unanswered) == (0, 200)
    assert result.acknowledged.count == 200
    assert result.acknowledged.p50_ms is not None and result.acknowledged.p50_ms > 150
    assert "the rate was not held" in "\n".join(lines(slow, result))


def test_what_waits_for_a_connection_grows_old_and_is_told() -> None:
    """One connection, one request at a time, and far more due: the question is not asked more
    slowly for that.
    """
    with mirror(1) as url:
        crowded = msgspec.structs.replace(
            plan(url, "http-single", rate=200_000.0, seconds=0.2), connections=1
        )
        result = generator.run(crowded)
    assert result.due == 40_000 and result.unsent > 0
    assert result.acknowledged.count == result.accepted + result.unsent
    assert result.acknowledged.longest_ms is not None and result.acknowledged.longest_ms > 100


class _Silence:
    """A door that takes connections and says nothing."""

    def __enter__(self) -> str:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.close()
