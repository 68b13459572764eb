"""The bounded queue of one stream, on a real socket pair."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, TextMessage

from market_data_feed.adapters.stream.frames import json_frame
from market_data_feed.adapters.stream.subscriber import BY_CLIENT, RESTARTING, Subscriber

Pair = tuple[Subscriber, socket.socket]
_QUEUE_BYTES = 200_000


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A subscriber and its client's end, over TCP on loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(10)
    server, _ = listener.accept()
    yield Subscriber(server, _QUEUE_BYTES), client
    for end in (listener, client, server):
        end.close()


def read_all(client: socket.socket) -> list[Any]:
    """Every frame until the end: JSON values, then (code, reason) of the close frame."""
    received = b""
    while chunk := client.recv(1 << 16):
        received += chunk
    reader, frames, text = Connection(ConnectionType.CLIENT), [], ""
    reader.receive_data(received)
    for event in reader.events():
        if isinstance(event, TextMessage):
            text += event.data
            if event.message_finished:
                frames.append(msgspec.json.decode(text))
                text = ""
        elif isinstance(event, CloseConnection):
            frames.append((event.code, event.reason))
    return frames


def fill(subscriber: Subscriber) -> int:
    """Put numbered messages of 1 kB until it is cut off, flushing as the sender would; how many
    were taken.
    """
    number = 0
    while subscriber.put(json_frame([number + 1, "x" * 1000]), "book:AAPL", number + 1):
        number += 1
        subscriber.flush()
    return number


def test_what_is_put_arrives_in_order(pair: Pair) -> None:
    subscriber, client = pair
    for number in range(50):
        assert subscriber.put(json_frame(number), "trades:AAPL", number)
    subscriber.end(RESTARTING, "bye")
    assert subscriber.flush() is False
    assert read_all(client) == [
        *range(50),
        {"action": "cut_off", "reason": "bye", "resume_from": {"trades:AAPL": 49}},
        (RESTARTING, "bye"),
    ]


def test_a_full_queue_cuts_off_and_tells_exactly_what_was_delivered(pair: Pair) -> None:
    subscriber, client = pair
    taken = fill(subscriber)
    assert subscriber.is_ending()
    subscriber.flush()
    assert subscriber.is_ended
    *messages, notice, closing = read_all(client)
    numbers = [message[0] for message in messages]
    assert numbers == list(range(1, len(numbers) + 1))
    assert notice == {
        "action": "cut_off",
        "reason": "too slow",
        "resume_from": {"book:AAPL": numbers[-1]},
    }
    assert numbers[-1] < taken
    assert closing == (1008, "too slow")


def test_nothing_is_queued_after_the_end(pair: Pair) -> None:
    subscriber, _ = pair
    subscriber.end(BY_CLIENT, "")
    assert subscriber.put(json_frame(1)) is False
    assert subscriber.flush() is False
    assert subscriber.is_ended


def test_waiting_for_room_ends_when_the_client_reads_or_the_stream_ends(pair: Pair) -> None:
    subscriber, client = pair
    while subscriber.put(json_frame("x" * 1000)) and subscriber.wait_for_room(0.0):
        pass
    assert subscriber.wait_for_room(0.01) is False
    while subscriber.flush():
        client.recv(1 << 16)
    assert subscriber.wait_for_room(5.0) is True
    subscriber.abandon()
    assert subscriber.wait_for_room(5.0) is False


def test_a_client_that_is_gone_ends_its_subscriber(pair: Pair) -> None:
    subscriber, client = pair
    client.close()
    for _ in range(1000):
        subscriber.put(json_frame("x" * 1000))
        subscriber.flush()
        if subscriber.is_ended:
            return
    raise AssertionError("it never noticed")


def test_a_snapshot_longer_than_the_queue_does_not_make_its_reader_slow(pair: Pair) -> None:
    subscriber, client = pair
    snapshot = json_frame(["snapshot", "x" * 3 * _QUEUE_BYTES])
    assert subscriber.put(snapshot, "book:AAPL", 1, is_snapshot=True)
    for number in range(2, 12):
        assert subscriber.put(json_frame([number, "x" * 1000]), "book:AAPL", number)
    subscriber.end(RESTARTING, "bye")
    received: list[Any] = []
    reader = threading.Thread(target=lambda: received.extend(read_all(client)))
    reader.start()
    while subscriber.flush():
        pass
    reader.join(20)
    heads = [frame[0] for frame in received[:-2]]
    assert heads == ["snapshot", *range(2, 12)]


def test_who_does_not_read_is_cut_off_behind_a_snapshot_too(pair: Pair) -> None:
    subscriber, _ = pair
    subscriber.put(json_frame("x" * 3 * _QUEUE_BYTES), "book:AAPL", 1, is_snapshot=True)
    assert fill(subscriber) < 2 * _QUEUE_BYTES // 1000


def test_a_second_snapshot_waits_until_the_first_is_read(pair: Pair) -> None:
    subscriber, _ = pair
    subscriber.put(json_frame("x" * 3 * _QUEUE_BYTES), "book:AAPL", 1, is_snapshot=True)
    assert subscriber.wait_for_room(0.01) is False


def test_one_long_message_makes_nobody_a_slow_reader(pair: Pair) -> None:
    subscriber, _ = pair
    assert subscriber.put(json_frame(1))
    assert subscriber.put(json_frame("x" * 3 * _QUEUE_BYTES))
    assert not subscriber.is_ending()
    assert not subscriber.put(json_frame(2)), "but what waits now is too much"
