"""Recorded files become steps that lead to exactly the recorded fills.

Planned with the venue's engine, checked with a matcher that shares no code with it.
"""

from pathlib import Path

import pytest

from tests.unit.venue_trials.recorded_flow.obvious_engine import ObviousEngine, fills_of
from venue_protocol.orders import BUY, IOC, SELL
from venue_trials.recorded_flow.consensus import HEADER, plan_consensus, recorded_fills
from venue_trials.recorded_flow.lobster import plan_lobster
from venue_trials.recorded_flow.orders import make_plan
from venue_trials.recorded_flow.steps import (
    ANONYMOUS,
    AmendStep,
    CancelStep,
    Levels,
    PlaceStep,
    RecordingError,
    ReplayFill,
    merged,
    needs_of,
)


def test_a_limited_consensus_plan_expects_only_the_trades_up_to_there(shared_data: Path) -> None:
    folder = shared_data / "matching_consensus"
    plan = plan_consensus(folder / "normal_s23_n20000.orders.csv.xz", ObviousEngine(), limit=2000)
    every = recorded_fills(folder / "normal_s23_n20000.reports.txt.xz", 10**9)
    assert plan.messages == 2000
    assert plan.expected_fills == every[: len(plan.expected_fills)]
    assert 0 < len(plan.expected_fills) < len(every)


def test_the_lobster_excerpt_rehearses_to_all_66_executions_and_every_published_book(
    shared_data: Path,
) -> None:
    file = shared_data / "lobster_aapl_l10_sample" / "AAPL_2012-06-21_message_10.first999.csv"
    plan = make_plan(file)
    assert plan.messages == 999
    assert merged(fills_of(plan)) == plan.expected_fills
    assert len({fill.taker for fill in plan.expected_fills}) == 66
    assert plan.checked_rows > 900 and plan.equal_rows == plan.checked_rows


def write(folder: Path, *lines: str, header: list[str] = HEADER) -> Path:
    file = folder / "flow.csv"
    file.write_text("\n".join([",".join(header), *lines]))
    return file


def test_a_modify_is_a_cancel_and_a_new_order_and_of_an_ended_order_nothing(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "0,N,B,0,10,7,100",
        "1,M,B,,5,7,101",
        "2,C,,,,7,",
        "3,M,B,,5,7,101",
        "4,C,,,,7,",
        "5,C,,,,99,",
    )
    plan = plan_consensus(file, ObviousEngine())
    assert plan.steps == [
        PlaceStep("account0", "1", BUY, 10, 5000, "GTC"),
        CancelStep("account0", "1", True),
        PlaceStep("account0", "2", BUY, 5, 5050, "GTC"),
        CancelStep("account0", "2", True),
        CancelStep("account0", "2", False),
    ]
    assert plan.labels == {"1": "7", "2": "7"}


def test_without_reports_the_rehearsal_says_what_to_expect(tmp_path: Path) -> None:
    file = write(tmp_path, "0,N,S,0,10,1,100", "1,N,B,1,15,2,101")
    plan = plan_consensus(file, ObviousEngine())
    assert plan.expected_fills == [ReplayFill(5000, 10, "1", "2")]
    assert plan.expected_levels == Levels([], [])
    assert "rehearsal" in plan.source


@pytest.mark.parametrize(
    "line",
    [
        "0,X,B,0,10,1,100",
        "0,N,B,0,1_0,2,20000",
        "0,N,B,0,1000000001,2,100",
        "0,N,B,0,ten,1,100",
        "0,N,Q,0,1,1,100",
        "0,N",
        "0,N,B,0,0,x,20000",
        "0,N,B,0,-5,x,20000",
        "0,N,B,0,10,x,0",
        "0,N,B,2,10,x,20000",
        "0,N,B,yes,10,x,20000",
        "0,M,B,,0,x,20000",
    ],
)
def test_a_line_that_is_no_message_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(RecordingError, match="line 3 is not a message"):
        plan_consensus(write(tmp_path, "0,N,B,0,10,1,100", line), ObviousEngine())


@pytest.mark.parametrize("end", ["", "\n", "\n\n  \n", "\r\n"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_blank_last_lines_are_taken(
    tmp_path: Path, begin: bytes, end: str
) -> None:
    file = tmp_path / "flow.csv"
    lines = [",".join(HEADER), "0,N,S,0,10,1,100", "1,N,B,1,15,2,101"]
    file.write_bytes(begin + ("\n".join(lines) + end).encode())
    assert make_plan(file).expected_fills == [ReplayFill(5000, 10, "1", "2")]
    day = lobster_day(tmp_path, FOUR_MESSAGES, begin, end)
    assert make_plan(day).messages == 4


def test_a_blank_line_in_the_middle_is_no_message(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="line 3 is not a message: it is blank"):
        plan_consensus(write(tmp_path, "0,N,B,0,10,1,100", "", "1,N,B,0,10,2,100"), ObviousEngine())


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="first line must be seq,type"):
        plan_consensus(write(tmp_path, header=["time", "price"]), ObviousEngine())
    with pytest.raises(RecordingError, match="_orderbook_"):
        plan_lobster(write(tmp_path), ObviousEngine())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"# a heading\n",
            "is no recording of orders: it begins neither as a matching-consensus file",
        ),
        (b"", "neither"),
        (b"\xff\x00", "is no recording of orders: it is no plain text"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_words(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "some.csv"
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=says):
        make_plan(file)


def test_a_broken_xz_file_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "some.orders.csv.xz"
    file.write_bytes(b"not xz")
    with pytest.raises(RecordingError, match="is no recording of orders: it is no plain text"):
        make_plan(file)


def test_a_lobster_message_on_an_order_that_is_nowhere_names_its_line(tmp_path: Path) -> None:
    messages = tmp_path / "X_message_1.csv"
    messages.write_text("1.0,1,11,5,100,1\n2.0,3,99,5,300,1\n")
    (tmp_path / "X_orderbook_1.csv").write_text("200,7,100,5\n200,7,100,5\n")
    with pytest.raises(RecordingError, match="line 2 changes an order that is nowhere"):
        make_plan(messages)


def test_a_report_that_is_no_trade_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.orders.csv").write_text(f"{','.join(HEADER)}\n0,N,B,0,5,1,100\n")
    (tmp_path / "f.reports.txt").write_text("0,1,2\n1,0,ten,5,1,2\n")
    with pytest.raises(RecordingError, match=r"f\.reports\.txt: line 2 is not a trade: 1,0,ten"):
        make_plan(tmp_path / "f.orders.csv")


def lobster(folder: Path, *rows: tuple[str, str]) -> Path:
    """A day of (message, book after it)."""
    file = folder / "X_message_1.csv"
    file.write_text("".join(f"{message}\n" for message, _ in rows))
    (folder / "X_orderbook_1.csv").write_text("".join(f"{book}\n" for _, book in rows))
    return file


@pytest.mark.parametrize(
    "line",
    [
        "2.0,1,12,0,100,1",
        "2.0,1,12,-5,100,1",
        "2.0,1,12,5,0,1",
        "2.0,1,12,5,-1,1",
        "nan,1,12,5,100,1",
        "2.0,1,twelve,5,100,1",
        "2.0,1,12,5,100,0",
        "2.0,1,12,5,100",
        "2.0,1,12,1_0,100,1",
    ],
)
def test_a_lobster_line_that_is_no_message_is_named(tmp_path: Path, line: str) -> None:
    book = "200,7,100,5"
    with pytest.raises(RecordingError, match="line 2 is not a message"):
        make_plan(lobster(tmp_path, ("1.0,1,11,5,100,1", book), (line, book)))


@pytest.mark.parametrize("book", ["200,7,100", "200,7,100,0", "200,7,-1,5", "200,7,1e2,5", "x"])
def test_a_lobster_line_that_is_no_book_is_named(tmp_path: Path, book: str) -> None:
    first = ("1.0,1,11,5,100,1", "200,7,100,5")
    with pytest.raises(RecordingError, match="line 2 is not a book"):
        make_plan(lobster(tmp_path, first, ("2.0,1,12,5,100,1", book)))


def test_halts_and_crosses_of_later_years_change_nothing(tmp_path: Path) -> None:
    book = "9999999999,0,10001,5"
    messages = [
        "0.5,6,-1,5000,1000100,-1",
        "1.0,7,0,0,-1,-1",
        "1.5,7,0,0,0,-1",
        "2.0,7,0,0,1,-1,null",
        "3.0,1,11,5,10001,1,null",
    ]
    file = lobster(tmp_path, *((message, book) for message in messages))
    plan = make_plan(file)
    assert plan.expected_levels == Levels([(10_001, 5)], [])
    assert plan.tick_e4 == 1, "a price below a cent needs the finest tick"


def test_a_half_of_the_book_that_is_published_empty_is_emptied(tmp_path: Path) -> None:
    file = lobster(
        tmp_path,
        ("1.0,1,11,5,10000,1", "20000,7,10000,5"),
        ("2.0,5,0,1,10000,1", "20000,7,-9999999999,0"),
    )
    assert make_plan(file).expected_levels == Levels([], [(20_000, 7)])


def test_needs_cover_every_order_at_its_limit() -> None:
    steps = [
        PlaceStep("buyer0", "1", BUY, 10, 5000, "GTC"),
        PlaceStep("seller0", "2", SELL, 7, 5000, IOC),
        PlaceStep("buyer0", "3", BUY, 1, 6000, "GTC"),
        AmendStep("buyer0", "1", 5),
        CancelStep(ANONYMOUS, "9", True),
    ]
    needs = needs_of(steps)
    assert (needs["buyer0"].cash_e4, needs["buyer0"].shares) == (56_000, 0)
    assert (needs["seller0"].cash_e4, needs["seller0"].shares) == (0, 7)


FOUR_MESSAGES = [
    ("34200.0,1,11,100,1000000,1", "1000100,5,1000000,100"),
    ("34200.1,1,12,100,1000000,1", "1000100,5,1000000,200"),
    ("34200.2,4,12,100,1000000,1", "1000100,5,1000000,100"),
    ("34200.3,3,11,100,1000000,1", "1000100,5,-9999999999,0"),
]
"""Order 12 stands behind order 11, and is executed before it."""


def lobster_day(
    folder: Path, rows: list[tuple[str, str]], begin: bytes = b"", end: str = "\n"
) -> Path:
    """The message file of a day, its book beside it."""
    messages, books = ("\n".join(column) + end for column in zip(*rows, strict=True))
    file = folder / "X_message_1.csv"
    file.write_bytes(begin + messages.encode())
    (folder / "X_orderbook_1.csv").write_bytes(begin + books.encode())
    return file


def test_an_execution_out_of_turn_reduces_the_order_that_it_names(tmp_path: Path) -> None:
    plan = make_plan(lobster_day(tmp_path, FOUR_MESSAGES))
    assert (plan.out_of_turn, plan.left_out) == (1, 0)
    assert plan.expected_fills == [] and fills_of(plan) == []
    assert plan.expected_levels == Levels([], [(1_000_100, 5)])
    assert plan.equal_rows == plan.checked_rows == 3


def test_in_a_run_only_what_is_out_of_turn_is_a_reduction(tmp_path: Path) -> None:
    """Orders 11, 12 and 13 in this order; executed at once: 11, then 13, then 12."""
    rows = [
        ("1.0,1,11,10,100,1", "200,5,100,10"),
        ("2.0,1,12,20,100,1", "200,5,100,30"),
        ("3.0,1,13,30,100,1", "200,5,100,60"),
        ("4.0,4,11,10,100,1", "200,5,100,50"),
        ("4.0,4,13,30,100,1", "200,5,100,20"),
        ("4.0,4,12,5,100,1", "200,5,100,15"),
    ]
    plan = make_plan(lobster_day(tmp_path, rows))
    assert plan.out_of_turn == 1
    assert [(fill.maker, fill.quantity) for fill in plan.expected_fills] == [("11", 10), ("12", 5)]
    assert merged(fills_of(plan)) == plan.expected_fills
    assert plan.equal_rows == plan.checked_rows


def test_an_execution_behind_the_best_price_is_out_of_turn(tmp_path: Path) -> None:
    rows = [
        ("1.0,1,11,10,200,1", "300,5,200,10,400,5,100,20"),
        ("2.0,4,9,20,100,1", "300,5,200,10,400,5,-9999999999,0"),
    ]
    plan = make_plan(lobster_day(tmp_path, rows))
    assert (plan.out_of_turn, plan.expected_fills) == (1, [])
    assert plan.equal_rows == plan.checked_rows


def test_hidden_executions_crosses_and_halts_change_nothing(tmp_path: Path) -> None:
    rows = [
        ("1.0,1,11,10,100,1", "200,5,100,10"),
        ("2.0,5,0,100,150,1", "200,5,100,10"),
        ("3.0,6,-1,900,150,-1", "200,5,100,10"),
        ("4.0,7,0,0,-1,-1", "200,5,100,10"),
        ("5.0,7,0,0,1,-1", "200,5,100,10"),
        ("6.0,2,11,4,100,1", "200,5,100,6"),
    ]
    plan = make_plan(lobster_day(tmp_path, rows))
    assert (plan.out_of_turn, plan.left_out, plan.expected_fills) == (0, 0, [])
    assert plan.expected_levels == Levels([(100, 6)], [(200, 5)])


def test_what_the_file_can_not_explain_is_made_good_from_the_published_book(tmp_path: Path) -> None:
    """Order 99 was never seen; the book says what became of it, and the next messages fit again."""
    rows = [
        ("1.0,1,11,10,100,1", "300,5,100,10"),
        ("2.0,3,99,7,300,-1", "400,5,100,10"),
        ("3.0,3,98,7,350,-1", "400,8,100,10"),
        ("4.0,1,12,10,200,1", "400,8,200,10"),
        ("5.0,4,97,8,400,-1", "500,1,200,10"),
    ]
    plan = make_plan(lobster_day(tmp_path, rows))
    assert plan.messages == 5 and plan.left_out == 1
    assert plan.expected_levels.asks[0] == (500, 1)
    assert merged(fills_of(plan)) == plan.expected_fills


@pytest.mark.parametrize(
    "line", ["2.0,1,12,0,100,1", "2.0,1,12,5,0,1", "2.0,1,12,5,100,2", "2.0,1", "x,1,1,1,1,1"]
)
def test_a_line_that_is_no_lobster_message_is_named(tmp_path: Path, line: str) -> None:
    rows = [("1.0,1,11,10,100,1", "200,5,100,10"), (line, "200,5,100,10")]
    with pytest.raises(RecordingError, match="line 2 is not a message"):
        make_plan(lobster_day(tmp_path, rows))


def test_a_book_of_another_length_is_refused(tmp_path: Path) -> None:
    file = lobster_day(tmp_path, FOUR_MESSAGES)
    book = tmp_path / "X_orderbook_1.csv"
    rows = book.read_text()
    book.write_text(rows + "1000100,5,1000000,100\n")
    with pytest.raises(RecordingError, match="4 messages, but more rows in its book"):
        make_plan(file)
    book.write_text("\n".join(rows.splitlines()[:2]))
    with pytest.raises(RecordingError, match="4 messages, but 2 rows in its book"):
        make_plan(file)
