"""The WebSocket stream against the running service: snapshots, resumes, gaps, slow and rude
clients.
"""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

import trading_bots.refusal
from tests.integration.market_data_feed.conftest import RunningFeed, wait_until
from tests.integration.market_data_feed.listener import BookView, InBackground, Listener
from tests.integration.market_data_feed.test_recording import settle, settled_already, settlement
from tests.unit.market_data_feed.random_tape import RandomMarket
from tests.unit.market_data_feed.tape import Tape
from tests.websocket_frames import frames_in
from trading_bots.stream import Stream


def test_prices_follow_the_best_levels_and_a_vanished_ask_is_null(feed: RunningFeed) -> None:
    tape = Tape()
    feed.record(
        tape.batch("new 1 alice BUY 5@99.00", "new 2 alice BUY 5@99.50", "new 3 bob SELL 5@101.00")
    )
    with Listener(feed.stream_url) as listener:
        listener.ask(action="subscribe", channel="price", security="AAPL")
        feed.send(tape.batch("cancel 2"), tape.batch("cancel 3"))
        messages = listener.until("price", "AAPL", tape.batches[-1].last)
    assert [(m["bid"], m["ask"]) for m in messages] == [
        ("99.50", "101.00"),
        ("99.00", "101.00"),
        ("99.00", None),
    ]
    assert messages[0]["type"] == "snapshot"


def test_a_subscription_in_the_midst_of_trading_loses_and_repeats_nothing(
    feed: RunningFeed,
) -> None:
    tape = RandomMarket(seed=11).play(600)
    end = tape.batches[-1].last
    last_changes: list[int] = []

    def follow() -> None:
        with Listener(feed.stream_url) as listener:
            for security in ("AAPL", "MSFT"):
                listener.ask(action="subscribe", channel="book", security=security)
            listener.ask(action="subscribe", channel="status")
            while listener.receive().get("positions", {}).get("events.0", 0) < end:
                pass
            for security in ("AAPL", "MSFT"):
                messages = listener.messages["book", security]
                assert BookView.of(messages).sides == rest_book(security)
                last_changes.append(len(messages))

    def rest_book(security: str) -> Any:
        return BookView.of_rest(feed.get(f"/v1/book/{security}?depth=500")).sides

    followers = []
    for start in range(0, 600, 60):
        feed.send(*tape.batches[start : start + 60])
        followers.append(InBackground(follow))
    for follower in followers:
        follower.join()
    assert max(last_changes) > 100, "no follower saw much: the test shows nothing"


def test_two_securities_on_one_stream_have_no_gap_and_no_repeat_on_either(
    feed: RunningFeed,
) -> None:
    tape = RandomMarket(seed=12).play(200)
    with Listener(feed.stream_url) as listener:
        for security in ("AAPL", "MSFT"):
            listener.ask(action="subscribe", channel="trades", security=security)
        feed.record(*tape.batches)
        for security in ("AAPL", "MSFT"):
            expected = [
                trade["trade_id"]
                for trade in feed.get(f"/v1/trades/{security}?limit=1000")["trades"]
            ][::-1]
            assert len(expected) > 10
            listener.until("trades", security, expected[-1])
            assert listener.sequences("trades", security) == expected


def test_a_client_that_comes_back_gets_all_it_missed_also_after_a_restart(
    feed: RunningFeed,
) -> None:
    tape = RandomMarket(seed=13).play(300)
    feed.record(*tape.batches[:100])
    subscriptions: list[tuple[str, str | None]] = [
        ("orders", None),
        ("fills", None),
        ("trades", "AAPL"),
    ]
    seen: dict[Any, list[int]] = {}
    with Listener(feed.stream_url, feed.clearing.keys["alice"]) as listener:
        for channel, security in subscriptions:
            listener.ask(action="subscribe", channel=channel, security=security, resume_from=0)
        feed.record(*tape.batches[100:120])
        listener.until("orders", None, newest_report(feed, "alice"))
        seen = {key: listener.sequences(*key) for key in subscriptions}
    feed.record(*tape.batches[120:200])
    assert feed.stop() == 0
    feed.start()
    feed.record(*tape.batches[200:220])
    with Listener(feed.stream_url, feed.clearing.keys["alice"]) as listener:
        for channel, security in subscriptions:
            last = seen[channel, security][-1]
            listener.ask(action="subscribe", channel=channel, security=security, resume_from=last)
        feed.record(*tape.batches[220:])
        listener.until("orders", None, newest_report(feed, "alice"))
        listener.until("fills", None, pages(feed, "/v1/fills", "fills")[-1]["sequence"])
        listener.until(
            "trades", "AAPL", feed.get("/v1/trades/AAPL?limit=1")["trades"][0]["trade_id"]
        )
        for key in subscriptions:
            seen[key] += listener.sequences(*key)
    reports = pages(feed, "/v1/reports", "reports")
    assert seen["orders", None] == [row["sequence"] for row in reports]
    assert listener.messages["orders", None][-1].items() >= reports[-1].items()
    assert seen["fills", None] == [row["sequence"] for row in pages(feed, "/v1/fills", "fills")]
    trades = feed.get("/v1/trades/AAPL?limit=1000")["trades"]
    assert seen["trades", "AAPL"] == [row["trade_id"] for row in trades][::-1]


def test_resuming_under_load_joins_replay_and_live_without_a_hole(feed: RunningFeed) -> None:
    tape = RandomMarket(seed=14).play(1500)
    feed.record(*tape.batches[:1000])

    def resume() -> None:
        with Listener(feed.stream_url, feed.clearing.keys["bob"]) as listener:
            listener.ask(action="subscribe", channel="orders", resume_from=0)
            wait_until(
                lambda: feed.get("/v1/status")["positions"]["events.0"] == tape.batches[-1].last
            )
            listener.until("orders", None, newest_report(feed, "bob"))
            expected = [row["sequence"] for row in pages(feed, "/v1/reports", "reports", "bob")]
            assert listener.sequences("orders") == expected

    followers = []
    for start in range(1000, 1500, 100):
        followers += [InBackground(resume), InBackground(resume)]
        feed.send(*tape.batches[start : start + 100])
    for follower in followers:
        follower.join()


def test_settlements_reach_their_owner_alone(feed: RunningFeed) -> None:
    before = settled_already(feed.clearing)
    feed.wait_for_position("settlements", before)
    with (
        Listener(feed.stream_url, feed.clearing.keys["alice"]) as alice,
        Listener(feed.stream_url, feed.clearing.keys["bob"]) as bob,
    ):
        alice.ask(action="subscribe", channel="settlements")
        bob.ask(action="subscribe", channel="settlements")
        feed.send(settle(feed.clearing, settlement(before + 1), settlement(before + 2, "bob", 1)))
        assert alice.receive()["sequence"] == before + 1
        message = bob.receive()
        assert (message["client_id"], message["sequence"], message["cash"]) == (
            "bob",
            before + 2,
            "0.01",
        )
        feed.send(settle(feed.clearing, settlement(before + 3)))
        assert alice.receive()["previous"] == before + 1


def test_private_channels_need_a_key_and_the_stream_lives_on_without(feed: RunningFeed) -> None:
    with Listener(feed.stream_url) as listener:
        for channel in ("orders", "fills", "settlements"):
            assert (
                listener.ask(action="subscribe", channel=channel)["error"]["code"]
                == "auth.key_missing"
            )
        assert (
            listener.ask(action="authenticate", key="vk_wrong")["error"]["code"]
            == "auth.key_invalid"
        )
        answer = listener.ask(action="authenticate", key=feed.clearing.keys["carol"], id=7)
        assert answer == {"id": 7, "action": "authenticated", "client_id": "carol"}
        assert listener.ask(action="subscribe", channel="orders")["action"] == "subscribed"
        other = listener.ask(action="authenticate", key=feed.clearing.keys["bob"])
        assert other["error"]["code"] == "auth.forbidden"


def test_a_revoked_key_ends_its_stream(feed: RunningFeed) -> None:
    with Listener(feed.stream_url, feed.clearing.keys["carol"]) as listener:
        feed.clearing.execute("UPDATE api_keys SET revoked_us = 1 WHERE client_id = 'carol'")
        assert listener.close_code() == 4401
    cut_off = 'venue_streams_cut_off_total{cause="key_revoked"} 1.0'
    wait_until(lambda: cut_off in feed.request("/metrics").text)


def test_unsubscribing_ends_the_channel(feed: RunningFeed) -> None:
    tape = Tape()
    with Listener(feed.stream_url) as listener:
        listener.ask(action="subscribe", channel="book", security="AAPL")
        listener.ask(action="subscribe", channel="book", security="MSFT")
        assert (
            listener.ask(action="unsubscribe", channel="book", security="AAPL")["was_subscribed"]
            is True
        )
        assert (
            listener.ask(action="unsubscribe", channel="book", security="AAPL")["was_subscribed"]
            is False
        )
        feed.record(
            tape.batch("new 1 alice BUY 5@99.00 AAPL"), tape.batch("new 2 alice BUY 5@99.00 MSFT")
        )
        listener.until("book", "MSFT", 2)
        assert [m["type"] for m in listener.messages["book", "AAPL"]] == ["snapshot"]


def test_a_service_that_stops_tells_its_streams_to_come_back(feed: RunningFeed) -> None:
    with Listener(feed.stream_url) as idle, Listener(feed.stream_url) as listener:
        listener.ask(action="subscribe", channel="book", security="AAPL")
        stopping = InBackground(feed.stop)
        assert listener.close_code() == 1012
        assert idle.close_code() == 1012
        stopping.join()


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


@pytest.mark.parametrize("channel", ["orders", "fills", "settlements", "status"])
@pytest.mark.parametrize("security", ["AAPL", "NOPE"])
def test_a_security_on_a_channel_about_all_of_them_is_refused(
    shared_feed: RunningFeed, channel: str, security: str
) -> None:
    with Listener(shared_feed.stream_url, shared_feed.clearing.keys["alice"]) as listener:
        for action in ("subscribe", "unsubscribe"):
            answer = listener.ask(action=action, channel=channel, security=security, id=7)
            assert answer["id"] == 7
            assert answer["error"]["code"] == "request.invalid_field"
            assert answer["error"]["field"] == "security"
        assert listener.ask(action="subscribe", channel=channel)["action"] == "subscribed"


def test_the_client_library_is_told_that_fills_of_one_security_can_not_be_heard(
    shared_feed: RunningFeed,
) -> None:
    with Stream(shared_feed.url, shared_feed.clearing.keys["alice"]) as stream:
        stream.subscribe("fills", "AAPL")
        with pytest.raises(trading_bots.refusal.Refused, match="leave security out"):
            stream.receive(10)


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


def newest_report(feed: RunningFeed, client_id: str) -> int:
    """Sequence of a client's newest execution report."""
    (row,) = feed.clearing.recorded(
        "SELECT max(event_sequence) FROM order_reports WHERE client_id = %s", (client_id,)
    )
    return int(row[0])


def pages(
    feed: RunningFeed, path: str, name: str, client_id: str = "alice"
) -> list[dict[str, Any]]:
    """All rows of a paged list."""
    rows: list[dict[str, Any]] = []
    after = 0
    while True:
        answer = feed.get(f"{path}?after={after}&limit=100", client_id)
        rows += answer[name]
        if len(answer[name]) < 100:
            return rows
        after = answer["next_after"]
