"""The part of pika and RabbitMQ that a publisher sees, with a broker that can refuse messages."""

import queue
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker


class FakeBroker:
    """Takes messages up to a size, which may change at any time."""

    def __init__(self, most_bytes: int = 1_000_000) -> None:
        self.most_bytes = most_bytes
        self.nacks = False
        self.taken: list[bytes] = []
        self.sent_at_once: list[int] = []
        """For each connection, how many messages came before the first answer."""
        self.connections: list[FakeConnection] = []
        self.arrived = threading.Condition()

    def connect(self, _parameters: Any, **callbacks: Callable[..., None]) -> "FakeConnection":
        """What pika.SelectConnection does."""
        connection = FakeConnection(self, callbacks)
        self.connections.append(connection)
        return connection

    def wait_for(self, claim: Callable[[], bool], timeout_s: float = 10) -> bool:
        """Whether it comes true in time."""
        with self.arrived:
            return self.arrived.wait_for(claim, timeout_s)

    def note(self) -> None:
        """Something happened: whoever waits looks again."""
        with self.arrived:
            self.arrived.notify_all()


class FakeLoop:
    """An event loop whose timers are due at once."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Run until stopped."""
        while (call := self._calls.get()) is not None:
            call()

    def stop(self) -> None:
        """End `start`."""
        self._calls.put(None)

    def close(self) -> None:
        """Nothing to close."""

    def add_callback_threadsafe(self, call: Callable[[], None]) -> None:
        """Run it in the loop."""
        self._calls.put(call)

    def call_later(self, _delay_s: float, call: Callable[[], None]) -> None:
        """Run it in the loop."""
        self._calls.put(call)


class FakeConnection:
    """A connection with one channel."""

    def __init__(self, broker: FakeBroker, callbacks: dict[str, Callable[..., None]]) -> None:
        self.broker = broker
        self.ioloop = FakeLoop()
        self.is_open = True
        self._callbacks = callbacks
        self._on_blocked: list[Callable[..., None]] = []
        self._on_unblocked: list[Callable[..., None]] = []
        self.ioloop.add_callback_threadsafe(lambda: callbacks["on_open_callback"](self))

    def channel(self, on_open_callback: Callable[[Any], None]) -> None:
        """Open the channel."""
        channel = FakeChannel(self)
        self.ioloop.add_callback_threadsafe(lambda: on_open_callback(channel))

    def close(self) -> None:
        """Close it."""
        self.is_open = False
        self.ioloop.add_callback_threadsafe(
            lambda: self._callbacks["on_close_callback"](self, "closed")
        )

    def add_on_connection_blocked_callback(self, call: Callable[..., None]) -> None:
        """What `block` calls."""
        self._on_blocked.append(call)

    def add_on_connection_unblocked_callback(self, call: Callable[..., None]) -> None:
        """What `unblock` calls."""
        self._on_unblocked.append(call)

    def block(self, reason: str) -> None:
        """An alarm: the broker reads nothing."""
        frame = SimpleNamespace(method=SimpleNamespace(reason=reason))
        self.ioloop.add_callback_threadsafe(lambda: self._on_blocked[0](self, frame))

    def unblock(self) -> None:
        """The alarm is over."""
        self.ioloop.add_callback_threadsafe(lambda: self._on_unblocked[0](self, None))


class FakeChannel:
    """A channel in confirm mode; answers come in later turns of the loop, as on a network."""

    def __init__(self, connection: FakeConnection) -> None:
        self.connection = connection
        self._broker = connection.broker
        self._tag = 0
        self._is_open = True
        self._is_answered = False
        self._broker.sent_at_once.append(0)

    def __getattr__(self, _name: str) -> Callable[..., None]:
        """Declarations and callbacks that matter to nobody here."""
        return lambda *_, **__: None

    def add_on_close_callback(self, call: Callable[..., None]) -> None:
        """Called when the broker closes the channel."""
        self._on_close = call

    def confirm_delivery(self, on_confirm: Any, callback: Callable[[Any], None]) -> None:
        """Confirm from here on."""
        self._on_confirm = on_confirm
        self.connection.ioloop.add_callback_threadsafe(lambda: callback(None))

    def basic_publish(self, _exchange: str, _key: str, body: bytes, *_: Any, **__: Any) -> None:
        """Take the message, or refuse it as RabbitMQ does: one too large closes the channel."""
        self._tag += 1
        tag = self._tag
        if not self._is_answered:
            self._broker.sent_at_once[-1] += 1
        self.connection.ioloop.add_callback_threadsafe(lambda: self._answer(tag, body))

    def _answer(self, tag: int, body: bytes) -> None:
        self._is_answered = True
        if not self._is_open:
            return
        if len(body) > self._broker.most_bytes:
            self._is_open = False
            error = ChannelClosedByBroker(406, "PRECONDITION_FAILED - message size")
            self._on_close(self, error)
        elif self._broker.nacks:
            self._on_confirm(SimpleNamespace(method=pika.spec.Basic.Nack(tag)))
        else:
            self._broker.taken.append(body)
            self._on_confirm(SimpleNamespace(method=pika.spec.Basic.Ack(tag)))
        self._broker.note()
