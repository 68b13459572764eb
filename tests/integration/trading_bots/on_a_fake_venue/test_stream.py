"""The live stream against a fake feed: it resumes, sees holes, and never gives a message twice."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect
from websockets.sync.server import Server, ServerConnection, serve

from trading_bots.client import Refused
from trading_bots.stream import Stream

Talk = Callable[[ServerConnection, dict[str, Any]], None]


class FakeFeed:
    """Runs the n-th script for the n-th connection: it gets the first subscription, then the
    connection closes.
    """

    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self._connections = 0
        self._server: Server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _serve(self, connection: ServerConnection) -> None:
        number, self._connections = self._connections, self._connections + 1
        self.keys.append(
            connection.request.headers.get("Authorization") if connection.request else None
        )
        request = json.loads(connection.recv())
        self.subscriptions.append(request)
        self.talks[min(number, len(self.talks) - 1)](connection, request)

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def feed() -> Iterator[FakeFeed]:
    feed = FakeFeed()
    yield feed
    feed.close()


def say(*messages: dict[str, Any], hold_open: bool = False) -> Talk:
    def talk(connection: ServerConnection, _request: dict[str, Any]) -> None:
        for message in messages:
            connection.send(json.dumps(message))
        if hold_open:
            connection.recv(timeout=10)

    return talk


def fill(sequence: int, previous: int) -> dict[str, Any]:
    return {"channel": "fills", "security": "AAPL", "sequence": sequence, "previous": previous}


def subscribed(channel: str, sequence: int) -> dict[str, Any]:
    return {"action": "subscribed", "channel": channel, "sequence": sequence}


def test_after_a_cut_the_stream_asks_for_what_it_missed(feed: FakeFeed) -> None:
    feed.talks = [say(subscribed("fills", 3), fill(5, 3), fill(6, 5)), say(fill(9, 6))]
    with Stream(feed.url, "vk_1") as stream:
        stream.subscribe("fills")
        received = [stream.receive(5) for _ in range(3)]
    assert [message and message["sequence"] for message in received] == [5, 6, 9]
    assert feed.subscriptions == [
        {"action": "subscribe", "channel": "fills"},
        {"action": "subscribe", "channel": "fills", "resume_from": 6},
    ]
    assert feed.keys == ["Bearer vk_1"] * 2


def test_a_cut_before_the_first_message_resumes_from_the_acknowledged_position(
    feed: FakeFeed,
) -> None:
    feed.talks = [say(subscribed("fills", 3)), say(fill(5, 3))]
    with Stream(feed.url) as stream:
        stream.subscribe("fills")
        message = stream.receive(5)
    assert message is not None and message["sequence"] == 5
    assert feed.subscriptions[1]["resume_from"] == 3


def test_a_hole_in_the_numbers_is_healed_not_skipped(feed: FakeFeed) -> None:
    feed.talks = [say(fill(5, 3), fill(8, 7), hold_open=True), say(fill(7, 5), fill(8, 7))]
    with Stream(feed.url) as stream:
        stream.subscribe("fills", resume_from=3)
        received = [stream.receive(5) for _ in range(3)]
    assert [message and message["sequence"] for message in received] == [5, 7, 8]


def test_holes_without_end_are_asked_for_with_growing_pauses(feed: FakeFeed) -> None:
    """130 new connections a second were seen for a channel that never fitted its subscription."""
    feed.talks = [say(subscribed("fills", 3), fill(8, 7), hold_open=True)]
    with Stream(feed.url) as stream:
        stream.subscribe("fills", resume_from=3)
        assert stream.receive(1.0) is None
    assert 2 <= len(feed.subscriptions) <= 8


@pytest.mark.parametrize("text", ["<html>", "[]", "7", '"' + "x" * (1 << 24) + '"'])
def test_what_is_no_message_is_a_cut(feed: FakeFeed, text: str) -> None:
    feed.talks = [lambda connection, _request: connection.send(text), say(fill(5, 3))]
    with Stream(feed.url) as stream:
        stream.subscribe("fills", resume_from=3)
        message = stream.receive(10)
    assert message is not None and message["sequence"] == 5


def test_a_repeated_message_is_given_once(feed: FakeFeed) -> None:
    feed.talks = [say(fill(5, 3), fill(5, 3), fill(6, 5))]
    with Stream(feed.url) as stream:
        stream.subscribe("fills", resume_from=3)
        received = [stream.receive(5) for _ in range(2)]
    assert [message and message["sequence"] for message in received] == [5, 6]


def test_a_channel_that_starts_with_a_snapshot_is_not_resumed(feed: FakeFeed) -> None:
    price = {
        "channel": "price",
        "security": "AAPL",
        "type": "snapshot",
        "sequence": 40,
        "previous": None,
    }
    feed.talks = [say(subscribed("price", 40), price), say({**price, "sequence": 30})]
    with Stream(feed.url) as stream:
        stream.subscribe("price", "AAPL")
        received = [stream.receive(5) for _ in range(2)]
    assert [message and message["sequence"] for message in received] == [40, 30]
    assert all(
        request == {"action": "subscribe", "channel": "price", "security": "AAPL"}
        for request in feed.subscriptions
    )


def test_a_refused_subscription_is_raised(feed: FakeFeed) -> None:
    feed.talks = [
        say(
            {"error": {"code": "security.unknown", "message": "no security 'GHOST'"}},
            hold_open=True,
        )
    ]
    with Stream(feed.url) as stream, pytest.raises(Refused, match=r"security\.unknown"):
        stream.subscribe("price", "GHOST")
        stream.receive(5)


def test_a_subscription_that_the_venue_could_not_answer_now_is_asked_for_again(
    feed: FakeFeed,
) -> None:
    away = {"error": {"code": "service.not_ready", "message": "the database is away, ask again"}}
    locked_out = {
        "error": {"code": "auth.key_missing", "message": "fills is private: authenticate first"}
    }
    feed.talks = [say(away, locked_out, hold_open=True), say(subscribed("fills", 3), fill(5, 3))]
    with Stream(feed.url, "vk_1") as stream:
        stream.subscribe("fills", resume_from=3)
        message = stream.receive(5)
    assert message is not None and message["sequence"] == 5
    assert [request["resume_from"] for request in feed.subscriptions] == [3, 3]


def test_a_connection_reset_during_the_handshake_is_tried_again(
    feed: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that dies between accept and answer: websockets may report that as a closed
    connection.
    """
    attempts: list[str] = []

    def connect_at_the_second_attempt(url: str, **arguments: Any) -> Any:
        attempts.append(url)
        if len(attempts) == 1:
            raise ConnectionClosedError(None, None)
        return connect(url, **arguments)

    monkeypatch.setattr("trading_bots.websocket.connect", connect_at_the_second_attempt)
    feed.talks = [say(subscribed("fills", 3), fill(5, 3))]
    with Stream(feed.url) as stream:
        stream.subscribe("fills")
        message = stream.receive(5)
    assert message is not None and message["sequence"] == 5
    assert len(attempts) == 2


def test_receive_returns_none_when_its_time_is_over_with_or_without_a_venue(feed: FakeFeed) -> None:
    feed.talks = [say(hold_open=True)]
    with Stream(feed.url) as stream:
        stream.subscribe("fills")
        assert stream.receive(0.05) is None
    feed.close()
    with Stream(feed.url) as stream:
        stream.subscribe("fills")
        began = time.monotonic()
        assert stream.receive(0.2) is None
        assert time.monotonic() - began < 2


def test_close_from_another_thread_ends_a_waiting_reader(feed: FakeFeed) -> None:
    feed.talks = [say(subscribed("fills", 0), fill(1, 0), hold_open=True)]
    stream = Stream(feed.url)
    stream.subscribe("fills")
    received: list[int] = []
    first = threading.Event()

    def read() -> None:
        for message in stream:
            received.append(message["sequence"])
            first.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert first.wait(5)
    stream.close()
    reader.join(5)
    assert not reader.is_alive() and received == [1]
