"""The WebSocket stream under load: readers that stop, deep books, many strangers."""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.market_data_feed.conftest import RunningFeed, wait_until
from tests.integration.market_data_feed.listener import BookView, InBackground, Listener
from tests.unit.market_data_feed.tape import Tape
from tests.websocket_frames import frames_in


def wide_batches(tape: Tape, count: int, first_id: int) -> list[Any]:
    """Batches that each change a hundred price levels: about 10 kB on the book channel."""
    return [
        tape.batch(
            *(
                f"new {first_id + 100 * n + i} alice BUY 1@{50 + i // 10}.{i % 10}{n % 10}"
                for i in range(100)
            )
        )
        for n in range(count)
    ]


def test_a_client_that_stops_reading_is_cut_off_and_told_while_others_are_not_delayed(
    feed: RunningFeed,
) -> None:
    tape = Tape()
    feed.record(tape.batch("new 1 alice BUY 5@99.00"))
    with Listener(feed.stream_url) as good:
        good.ask(action="subscribe", channel="book", security="AAPL")
        quiet_s = delays(feed, good, tape, 2, 40)
        with Stuck(feed) as stuck:
            stuck.subscribe("book", "AAPL")
            wait_until(lambda: open_streams(feed) == 2)
            feed.send(*wide_batches(tape, 600, 10_000))
            good.until("book", "AAPL", tape.batches[-1].last)
            wait_until(lambda: open_streams(feed) == 1)
            busy_s = delays(feed, good, tape, 100_000, 40)
            frames = stuck.read_to_the_end()
        sequences = [frame["sequence"] for frame in frames[:-2] if "action" not in frame]
        notice, (code, reason) = frames[-2], frames[-1]
        assert notice["action"] == "cut_off" and notice["reason"] == "too slow"
        assert (code, reason) == (1008, "too slow")
        assert notice["resume_from"]["book:AAPL"] == sequences[-1] < tape.batches[-1].last
        assert all(before < after for before, after in pairwise(sequences))
        assert busy_s < max(10 * quiet_s, 0.25), (
            f"median delay {quiet_s:.3f} s became {busy_s:.3f} s"
        )


def test_a_new_stream_on_a_book_of_60_000_levels_gets_its_snapshot_and_then_updates(
    feed: RunningFeed,
) -> None:
    tape = Tape()
    feed.record(*deep_book(tape, 60_000))
    with ThreadPoolExecutor(4) as pool:
        for seen in pool.map(lambda _: follow_deep_book(feed), range(4)):
            assert seen[0]["type"] == "snapshot"
            assert sum(len(message["bids"]) for message in seen[:12]) == 60_000
            assert [message.get("continues", False) for message in seen[:12]] == [True] * 11 + [
                False
            ]
        with Listener(feed.stream_url) as listener:
            listener.ask(action="subscribe", channel="book", security="AAPL")
            started = pool.submit(follow_deep_book, feed)
            orders = [tape.batch(f"new {90_000 + n} bob SELL 1@{900 + n}.00") for n in range(50)]
            for batch in orders:
                feed.send(batch)
            messages = listener.until("book", "AAPL", orders[-1].last)
            assert len(BookView.of(messages).sides["asks"]) == 50
            started.result(30)


def follow_deep_book(feed: RunningFeed) -> list[Any]:
    """A new stream's messages until it has the whole book."""
    with Listener(feed.stream_url) as listener:
        answer = listener.ask(action="subscribe", channel="book", security="AAPL")
        assert answer.get("action") == "subscribed", answer
        messages = listener.messages["book", "AAPL"]
        while not messages or messages[-1].get("continues"):
            listener.receive()
        return list(messages)


def deep_book(tape: Tape, levels: int) -> list[Any]:
    """Batches of 1,000 bids, each at a price of its own: 0.01 and up."""
    return [
        tape.batch(
            *(
                f"new {number} alice BUY 1@{number // 100}.{number % 100:02}"
                for number in range(start, start + 1_000)
            )
        )
        for start in range(1, levels, 1_000)
    ]


def test_resubscribing_to_a_deep_book_without_pause_slows_nobody_else(feed: RunningFeed) -> None:
    tape = Tape()
    feed.record(*deep_book(tape, 10_000))
    with Listener(feed.stream_url, feed.clearing.keys["bob"]) as good:
        good.ask(action="subscribe", channel="trades", security="AAPL")
        with Listener(feed.stream_url) as greedy:
            for _ in range(150):
                greedy.send({"action": "subscribe", "channel": "book", "security": "AAPL"})
            answered = InBackground(lambda: read_for(greedy, 6.0))
            start = time.monotonic()
            for channel in ("orders", "fills", "settlements", "status"):
                assert good.ask(action="subscribe", channel=channel)["action"] == "subscribed"
            assert time.monotonic() - start < 2
            answered.join()
            snapshots = [
                message
                for message in greedy.messages["book", "AAPL"]
                if message["type"] == "snapshot"
            ]
            most = 96 + 50 / 21 * (time.monotonic() - start) + 1
            assert 50 < len(snapshots) < most, "what was saved, and then about two a second"


def read_for(listener: Listener, seconds: float) -> None:
    end = time.monotonic() + seconds
    with contextlib.suppress(TimeoutError):
        while (left := end - time.monotonic()) > 0:
            listener.receive(left)


def test_many_streams_of_strangers_leave_room_for_a_key(feed: RunningFeed) -> None:
    with contextlib.ExitStack() as streams:
        for _ in range(100):
            listener = streams.enter_context(Listener(feed.stream_url))
            listener.ask(action="subscribe", channel="price", security="AAPL")
        with pytest.raises(InvalidStatus) as refused:
            streams.enter_context(Listener(feed.stream_url))
        assert refused.value.response.status_code == 503
        known = streams.enter_context(Listener(feed.stream_url, feed.clearing.keys["alice"]))
        assert known.ask(action="subscribe", channel="fills")["action"] == "subscribed"


def delays(feed: RunningFeed, listener: Listener, tape: Tape, first_id: int, count: int) -> float:
    """Median time from publishing an order to seeing it on the stream, seconds."""
    times = []
    for number in range(count):
        start = time.monotonic()
        batch = tape.batch(f"new {first_id + number} alice BUY 5@{20 + number}.00")
        feed.send(batch)
        listener.until("book", "AAPL", batch.last)
        times.append(time.monotonic() - start)
    return sorted(times)[count // 2]


class Stuck:
    """A raw WebSocket client that subscribes and then reads nothing until it is told to."""

    def __init__(self, feed: RunningFeed) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", feed.port))
        self._socket.settimeout(15)
        self._socket.sendall(
            b"GET /v1/stream HTTP/1.1\r\nHost: venue\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        assert b" 101 " in head

    def __enter__(self) -> "Stuck":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def subscribe(self, channel: str, security: str) -> None:
        """Ask for a channel."""
        text = f'{{"action":"subscribe","channel":"{channel}","security":"{security}"}}'.encode()
        self._socket.sendall(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)

    def read_to_the_end(self) -> list[Any]:
        """Every frame until the service closes:

        JSON of the text frames, (code, reason) of the close frame.
        """
        received = b""
        while chunk := self._socket.recv(1 << 16):
            received += chunk
        return frames_in(received)


def open_streams(feed: RunningFeed) -> int:
    """How many streams the service counts."""
    lines = feed.request("/metrics").text.splitlines()
    return int(
        float(next(line for line in lines if line.startswith("venue_open_streams ")).split()[1])
    )
