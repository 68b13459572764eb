"""Books in frames of bounded size, encoded once for all who ask at the same moment."""

from typing import Any

from market_data_feed.adapters.stream import book_frames
from market_data_feed.adapters.stream.book_frames import BookSnapshots, update_frames
from market_data_feed.domain.market import Level
from tests.integration.market_data_feed.listener import BookView
from tests.websocket_frames import frames_in

Asked = tuple[str, int, int, list[Level], list[Level], int]


def asked(levels: int, sequence: int = 7, security_id: str = "AAPL") -> Asked:
    bids = [(1_000_000_000_000 - step, 10, 1) for step in range(levels)]
    asks = [(1_000_000_000_001 + step, 10, 1) for step in range(levels // 2)]
    return security_id, sequence, sequence, bids, asks, 99


def messages(snapshot: book_frames.BookSnapshot) -> list[Any]:
    return [part for frame in snapshot.frames for part in frames_in(frame)]


def test_a_usual_book_is_one_snapshot_and_nothing_continues_it() -> None:
    (message,) = messages(BookSnapshots().encode(*asked(100)))
    assert message["type"] == "snapshot" and "continues" not in message
    assert len(message["bids"]) == 100 and len(message["asks"]) == 50


def test_a_book_of_60_000_levels_goes_out_in_frames_below_a_mebibyte() -> None:
    snapshot = BookSnapshots().encode(*asked(40_000))
    assert snapshot.levels == 60_000
    assert max(len(frame) for frame in snapshot.frames) < 1 << 20
    first, *others = messages(snapshot)
    assert (first["type"], first["sequence"], first["previous"]) == ("snapshot", 7, None)
    assert all((m["type"], m["sequence"], m["previous"]) == ("update", 7, 7) for m in others)
    assert [m.get("continues", False) for m in (first, *others)] == [True] * 7 + [False]
    book = BookView.of([first, *others]).sides
    assert len(book["bids"]) == 40_000 and len(book["asks"]) == 20_000


def test_an_update_of_many_levels_is_cut_too() -> None:
    _, _, _, bids, asks, time_us = asked(12_000)
    frames = update_frames("AAPL", 9, 7, bids, asks, time_us)
    parts = frames_in(frames)
    assert [(m["previous"], m["sequence"], m["time_us"]) for m in parts] == [
        (7, 9, 99),
        (9, 9, 99),
        (9, 9, 99),
    ]


def test_two_that_ask_at_the_same_sequence_get_the_same_bytes() -> None:
    snapshots = BookSnapshots()
    first = snapshots.encode(*asked(100))
    assert snapshots.encode(*asked(100)) is first
    assert snapshots.find("AAPL", 7, 7) is first
    assert snapshots.find("AAPL", 7, 8) is None
    assert snapshots.encode(*asked(100, sequence=8)) is not first


def test_what_is_remembered_of_many_deep_books_is_bounded() -> None:
    snapshots = BookSnapshots()
    for number in range(30):
        snapshots.encode(*asked(20_000, security_id=f"S{number}"))
    assert snapshots.find("S29", 7, 7) is not None
    assert snapshots.find("S0", 7, 7) is None
