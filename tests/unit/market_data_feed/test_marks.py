"""Marks read from the record: remembered, and one report at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from market_data_feed.adapters.marks import Marks
from venue_protocol.refusals import Refused, RejectReason
from venue_protocol.securities import Security

ACME = Security("ACME", "Acme", 0, 100, 1, 1_000, 1_000_000)


class Listed:
    def all(self) -> list[Security]:
        return [ACME]


class Tape:
    """A record whose trades the test writes; answers the two statements of a mark."""

    def __init__(self) -> None:
        self.trades: list[tuple[int, int, int, str, str]] = []
        self.reads = 0
        self.on_pairs = lambda: None

    def trade(self, minute: int, price_e4: int, buyer: str, seller: str) -> None:
        self.trades.append((minute * 60_000_000, price_e4, 1, buyer, seller))

    @contextmanager
    def transaction(self) -> Iterator["Tape"]:
        yield self

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        self._rows: list[tuple[Any, ...]]
        if "max(trade_id)" in statement:
            self._rows = [(len(self.trades) or None,)]
        elif "GROUP BY" in statement:
            self.on_pairs()
            self._rows = []
        else:
            self.reads += 1
            self._rows = self.trades[::-1][: values[1]]

    def fetchone(self) -> tuple[Any, ...]:
        return self._rows[0]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def marks(tape: Tape) -> Marks:
    return Marks(tape, Listed())  # type: ignore[arg-type]


def test_a_record_filled_by_two_clients_does_not_make_the_mark_forgotten(
    tape: Tape, marks: Marks
) -> None:
    """5,000 trades of a pair push all others out of the newest 1,000."""
    tape.trade(0, 1_050_000, "ann", "bob")
    tape.trade(0, 1_050_000, "cat", "dan")
    assert marks.read() == {"ACME": 1_050_000}
    for _ in range(5_000):
        tape.trade(60, 1_090_000, "eve", "mule")
    assert marks.read() == {"ACME": 1_050_000}


def test_a_mark_is_made_again_only_after_a_trade(tape: Tape, marks: Marks) -> None:
    tape.trade(0, 1_050_000, "ann", "bob")
    for _ in range(3):
        marks.read()
    assert tape.reads == 1
    tape.trade(1, 1_050_000, "cat", "dan")
    marks.read()
    assert tape.reads == 2


def test_a_second_report_of_transfers_at_a_time_is_refused(tape: Tape, marks: Marks) -> None:
    refused: list[RejectReason] = []

    def ask_again() -> None:
        with pytest.raises(Refused) as found:
            marks.transfers()
        refused.append(found.value.refusal.reason)

    def ask_from_another_thread() -> None:
        asker = threading.Thread(target=ask_again)
        asker.start()
        asker.join(10)

    tape.on_pairs = ask_from_another_thread
    assert marks.transfers() == []
    assert refused == [RejectReason.OVERLOADED]
    tape.on_pairs = lambda: None
    assert marks.transfers() == []
