"""Marks read from the record: remembered, and one report at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from market_data_feed.adapters.marks import Marks
from venue_protocol.corporate_actions import Split
from venue_protocol.refusals import Refused, RejectReason
from venue_protocol.securities import Security

ACME = Security("ACME", "Acme", 0, 100, 1, 1_000, 1_000_000)


class Listed:
    """The securities; a test splits one, or gives it another symbol."""

    def __init__(self) -> None:
        self.now = [ACME]
        self.applied: list[tuple[int, Split]] = []

    def all(self) -> list[Security]:
        return self.now

    def splits(self, security_id: str) -> list[tuple[int, Split]]:
        return self.applied


class Tape:
    """A record whose trades the test writes; answers the statements of a mark."""

    def __init__(self) -> None:
        self.trades: list[tuple[int, int, int, str, str]] = []
        self.kept: dict[str, tuple[int, int, int]] = {}
        self.busted: set[int] = set()
        """Numbers of trades, from 0."""
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
            _, known, most = values
            end = min(known + most, len(self.trades))
            self._rows = [(end if end > known else None,)]
        elif "max(sequence)" in statement:
            self._rows = [(len(self.busted),)]
        elif "FROM marks" in statement:
            self._rows = [(security_id, *mark) for security_id, mark in self.kept.items()]
        elif "INTO marks" in statement:
            self.kept[values[0]] = values[1:]
        elif "GROUP BY" in statement:
            self.on_pairs()
            self._rows = []
        else:
            self.reads += 1
            standing = [
                trade
                for number, trade in enumerate(self.trades[: values[1]])
                if number not in self.busted
            ]
            self._rows = standing[::-1][: values[2]]

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


def test_a_mark_is_the_same_after_a_restart_and_where_nobody_asked_before(
    tape: Tape, marks: Marks
) -> None:
    tape.trade(0, 1_050_000, "ann", "bob")
    tape.trade(0, 1_050_000, "cat", "dan")
    for _ in range(5_000):
        tape.trade(60, 1_090_000, "eve", "mule")
    assert marks.read() == {"ACME": 1_050_000}, "nobody asked before the 5,000"
    restarted = Marks(tape, Listed())  # type: ignore[arg-type]
    assert restarted.read() == {"ACME": 1_050_000}
    assert tape.reads == 6, "the restarted one goes on where the first one was"


def test_of_two_middle_voices_the_one_near_the_mark_of_before_the_restart_is_taken(
    tape: Tape, marks: Marks
) -> None:
    tape.trade(0, 1_090_000, "ann", "bob")
    tape.trade(0, 1_090_000, "cat", "dan")
    assert marks.read() == {"ACME": 1_090_000}
    tape.trade(60, 1_010_000, "ann", "bob")
    tape.trade(60, 1_080_000, "eve", "mule")
    restarted = Marks(tape, Listed())  # type: ignore[arg-type]
    assert restarted.read() == {"ACME": 1_080_000}, "from the reference it would be 101.00"


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


def test_a_busted_trade_has_no_voice_and_leaves_no_trace(tape: Tape, marks: Marks) -> None:
    """Four who painted the mark far from what others paid are busted: it is what it was before."""
    for number in range(4):
        tape.trade(0, 1_000_000, f"buyer{number}", f"seller{number}")
    assert marks.read() == {"ACME": 1_000_000}
    for number in range(4):
        tape.trade(60, 1_090_000, f"painter{number}", f"mule{number}")
    assert marks.read() == {"ACME": 1_090_000}
    tape.busted = {4, 5, 6, 7}
    assert marks.read() == {"ACME": 1_000_000}
    assert tape.kept["ACME"] == (8, 1_000_000, 4)


def test_the_mark_is_made_anew_once_for_a_correction_also_over_restarts(
    tape: Tape, marks: Marks
) -> None:
    for number in range(4):
        tape.trade(0, 1_000_000, f"buyer{number}", f"seller{number}")
    marks.read()
    tape.busted = {0}
    marks.read()
    reads = tape.reads
    assert marks.read() == {"ACME": 1_000_000}
    assert Marks(tape, Listed()).read() == {"ACME": 1_000_000}  # type: ignore[arg-type]
    assert tape.reads == reads


def test_after_a_split_the_mark_is_that_of_a_share_of_now_with_the_trades_of_before(
    tape: Tape,
) -> None:
    listed = Listed()
    marks = Marks(tape, listed)  # type: ignore[arg-type]
    tape.trade(0, 1_050_000, "ann", "bob")
    tape.trade(0, 1_050_000, "cat", "dan")
    assert marks.read() == {"ACME": 1_050_000}
    halved = msgspec.structs.replace(ACME, reference_price_e4=500_000, action_id=7)
    listed.now, listed.applied = [halved], [(60_000_000, Split(2, 1, 0))]
    assert marks.read() == {"ACME": 525_000}
    tape.trade(2, 540_000, "eve", "fay")
    assert marks.read() == {"ACME": 525_000}, "four of six voices are of before, at half the price"
    assert Marks(tape, listed).read() == {"ACME": 525_000}  # type: ignore[arg-type]


def test_a_new_symbol_begins_with_the_mark_of_the_old_one(tape: Tape) -> None:
    listed = Listed()
    marks = Marks(tape, listed)  # type: ignore[arg-type]
    tape.trade(0, 1_050_000, "ann", "bob")
    tape.trade(0, 1_050_000, "cat", "dan")
    marks.read()
    old = msgspec.structs.replace(ACME, delisted_us=5, successor="NEW", action_id=7)
    listed.now = [old, msgspec.structs.replace(ACME, security_id="NEW", action_id=7)]
    assert marks.read()["ACME"] == 1_050_000
    assert marks._first_e4(listed.now[1]) == 1_050_000
