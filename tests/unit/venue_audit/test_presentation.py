"""The verdict of an audit in words."""

from typing import Any

import pytest

from venue_audit.differences import LOG, Differences
from venue_audit.presentation import lines
from venue_audit.proof import Verdict


class Counts(dict[str, int]):
    """One of everything."""

    def __missing__(self, name: str) -> int:
        return 1


def live_line(verdict: Any) -> str:
    (line,) = [line for line in lines(verdict) if line.startswith("live")]
    return line


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        (None, "the running engine's books are those of the log, byte for byte"),
        ("account ann", "the running engine's books are those of the log, byte for byte"),
        ("engine 0", "the running engine's books are NOT those of the log: see below"),
    ],
)
def test_the_word_on_the_running_engine_is_clear(subject: str | None, says: str) -> None:
    differences = Differences()
    if subject:
        differences.compare("book", subject, "state_hash", "a", "b", LOG, 1)
    verdict = Verdict(Counts(), list(differences), differences.count, 0, 0)
    assert live_line(verdict).endswith(says)
