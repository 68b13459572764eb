"""The bounded queue of one stream, on a socket whose client reads when it is told to."""

import asyncio
from typing import Any

from market_data_feed.adapters.stream.subscriber import (
    BY_CLIENT,
    RESTARTING,
    TOO_SLOW,
    Subscriber,
)
from service_runtime.http.websocket_frames import json_frame
from tests.websocket_frames import frames_in

_QUEUE_BYTES = 200_000


class Socket:
    """A WebSocket that keeps what its client has not read."""

    def __init__(self, *, is_read: bool = True) -> None:
        self.is_read = is_read
        self.written = b""
        self.closing: tuple[int, str] | None = None
        self._is_gone = False
        self._read_bytes = 0

    def write_frames(self, frames: bytes) -> None:
        assert self.closing is None, "nothing may follow a close frame"
        self.written += frames

    def unread_bytes(self) -> int:
        return 0 if self.is_read else len(self.written) - self._read_bytes

    def is_gone(self) -> bool:
        return self._is_gone

    def end(self, code: int, reason: str) -> None:
        self.closing = (code, reason)

    def read_all(self) -> list[Any]:
        """What the client has got by now."""
        self._read_bytes = len(self.written)
        return frames_in(self.written)

    def vanish(self) -> None:
        self._is_gone = True


def fill(subscriber: Subscriber) -> int:
    """Put numbered messages of 1 kB until it is cut off, flushing as the sender would; how many
    were taken.
    """
    number = 0
    while subscriber.put(json_frame([number + 1, "x" * 1000]), "book:AAPL", number + 1):
        number += 1
        subscriber.flush()
    return number


def test_what_is_put_arrives_in_order_and_the_end_is_told() -> None:
    socket = Socket()
    subscriber = Subscriber(socket, _QUEUE_BYTES)
    for number in range(50):
        assert subscriber.put(json_frame(number), "trades:AAPL", number)
    subscriber.end(RESTARTING, "bye")
    subscriber.flush()
    notice = {"action": "cut_off", "reason": "bye", "resume_from": {"trades:AAPL": 49}}
    assert socket.read_all() == [*range(50), notice]
    assert socket.closing == (RESTARTING, "bye") and subscriber.is_ended


def test_a_full_queue_cuts_off_and_tells_exactly_what_was_delivered() -> None:
    socket = Socket(is_read=False)
    subscriber = Subscriber(socket, _QUEUE_BYTES)
    taken = fill(subscriber)
    assert subscriber.is_ending()
    subscriber.flush()
    *messages, notice = socket.read_all()
    numbers = [message[0] for message in messages]
    assert numbers == list(range(1, len(numbers) + 1)) and numbers[-1] < taken
    assert notice == {
        "action": "cut_off",
        "reason": "too slow",
        "resume_from": {"book:AAPL": numbers[-1]},
    }
    assert socket.closing == (TOO_SLOW, "too slow")


def test_what_waits_goes_on_when_the_client_reads_again() -> None:
    socket = Socket(is_read=False)
    subscriber = Subscriber(socket, _QUEUE_BYTES)
    for number in range(150):
        assert subscriber.put(json_frame([number, "x" * 1000]))
        subscriber.flush()
    before = len(socket.read_all())
    assert before < 150, "a socket that is not read must not be handed everything"
    socket.is_read = True
    subscriber.flush()
    assert [message[0] for message in socket.read_all()] == list(range(150))


def test_nothing_is_queued_after_the_end_and_a_client_that_left_is_told_nothing() -> None:
    socket = Socket()
    subscriber = Subscriber(socket, _QUEUE_BYTES)
    subscriber.end(BY_CLIENT, "")
    assert subscriber.put(json_frame(1)) is False
    subscriber.flush()
    assert subscriber.is_ended and socket.written == b"" and socket.closing is None


def test_waiting_for_room_ends_when_the_client_reads_or_the_stream_ends() -> None:
    async def scenario() -> list[bool]:
        socket = Socket(is_read=False)
        subscriber = Subscriber(socket, _QUEUE_BYTES)
        while subscriber.put(json_frame("x" * 1000)) and await subscriber.wait_for_room(0.0):
            subscriber.flush()
        found = [await subscriber.wait_for_room(0.01)]
        reads = asyncio.get_running_loop().call_soon(_read_again, socket, subscriber)
        found.append(await subscriber.wait_for_room(5.0))
        assert not reads.cancelled()
        subscriber.end(BY_CLIENT, "")
        found.append(await subscriber.wait_for_room(5.0))
        return found

    assert asyncio.run(scenario()) == [False, True, False]


def _read_again(socket: Socket, subscriber: Subscriber) -> None:
    socket.is_read = True
    subscriber.flush()


def test_a_client_that_is_gone_ends_its_subscriber() -> None:
    socket = Socket()
    subscriber = Subscriber(socket, _QUEUE_BYTES)
    assert subscriber.put(json_frame(1))
    socket.vanish()
    subscriber.flush()
    assert subscriber.is_ended and socket.written == b""


def test_a_snapshot_longer_than_the_queue_does_not_make_its_reader_slow() -> None:
    socket = Socket(is_read=False)
    subscriber = Subscriber(socket, _QUEUE_BYTES)
    snapshot = json_frame(["snapshot", "x" * 3 * _QUEUE_BYTES])
    assert subscriber.put(snapshot, "book:AAPL", 1, is_snapshot=True)
    for number in range(2, 12):
        assert subscriber.put(json_frame([number, "x" * 1000]), "book:AAPL", number)
    socket.is_read = True
    subscriber.flush()
    assert [message[0] for message in socket.read_all()] == ["snapshot", *range(2, 12)]


def test_a_reader_that_does_not_read_is_cut_off_behind_a_snapshot_too() -> None:
    subscriber = Subscriber(Socket(is_read=False), _QUEUE_BYTES)
    subscriber.put(json_frame("x" * 3 * _QUEUE_BYTES), "book:AAPL", 1, is_snapshot=True)
    assert fill(subscriber) < 2 * _QUEUE_BYTES // 1000


def test_a_second_snapshot_waits_until_the_first_is_read() -> None:
    async def has_room() -> bool:
        subscriber = Subscriber(Socket(is_read=False), _QUEUE_BYTES)
        for _ in range(2):
            subscriber.put(json_frame("x" * 3 * _QUEUE_BYTES), "book:AAPL", 1, is_snapshot=True)
            subscriber.flush()
        return await subscriber.wait_for_room(0.01)

    assert asyncio.run(has_room()) is False


def test_one_long_message_makes_nobody_a_slow_reader() -> None:
    subscriber = Subscriber(Socket(is_read=False), _QUEUE_BYTES)
    assert subscriber.put(json_frame(1))
    assert subscriber.put(json_frame("x" * 3 * _QUEUE_BYTES))
    assert not subscriber.is_ending()
    assert not subscriber.put(json_frame(2)), "but what waits now is too much"
