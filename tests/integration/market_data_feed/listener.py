"""A WebSocket client that checks what it is promised: per channel, each message names the one
before it.
"""

import threading
from collections import defaultdict
from types import TracebackType
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

Message = dict[str, Any]


class Listener:
    """One stream. Reads in the caller's thread."""

    def __init__(self, url: str, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._opening = connect(url, additional_headers=headers, proxy=None)
        self._is_authenticated = key is None
        self._last: dict[tuple[str, str | None], int] = {}
        self._continues: dict[tuple[str, str | None], bool] = {}
        self.messages: dict[tuple[str, str | None], list[Message]] = defaultdict(list)
        """Data messages by channel and security (None for private channels)."""

    def __enter__(self) -> "Listener":
        self._connection = self._opening.__enter__()
        if not self._is_authenticated:
            assert self.receive()["action"] == "authenticated"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._opening.__exit__(kind, error, at)

    def send(self, frame: Any) -> None:
        """Send a frame: bytes and text as they are, anything else as JSON."""
        self._connection.send(
            frame if isinstance(frame, str | bytes) else msgspec.json.encode(frame).decode()
        )

    def ask(self, **action: Any) -> Message:
        """Send an action; its answer. Data messages before it are kept."""
        self.send(action)
        while True:
            message = self.receive()
            if "action" in message or "error" in message:
                return message

    def receive(self, timeout_s: float = 15.0) -> Message:
        """The next message of any kind; a data message is checked against its forerunner and
        kept.
        """
        message: Message = msgspec.json.decode(self._connection.recv(timeout=timeout_s))
        if message.get("action") == "subscribed":
            self._last[_key(message)] = message["sequence"]
        elif "channel" in message and "action" not in message:
            self._keep(message)
        return message

    def until(self, channel: str, security: str | None, sequence: int) -> list[Message]:
        """All messages of a channel once `sequence` has come."""
        key = (channel, security)
        while not self.messages[key] or self.messages[key][-1]["sequence"] < sequence:
            self.receive()
        return self.messages[key]

    def sequences(self, channel: str, security: str | None = None) -> list[int]:
        """The sequences received on a channel."""
        return [message["sequence"] for message in self.messages[channel, security]]

    def close_code(self) -> int | None:
        """Read to the end; the close code."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def _keep(self, message: Message) -> None:
        key = _key(message)
        if message.get("type") != "snapshot":
            assert message["previous"] == self._last[key], f"a hole or a repeat on {key}: {message}"
            is_continued = self._continues.get(key, False)
            assert (message["sequence"] == message["previous"]) == is_continued
        self._last[key] = message["sequence"]
        self._continues[key] = message.get("continues", False)
        self.messages[key].append(message)


def _key(message: Message) -> tuple[str, str | None]:
    private = message["channel"] in ("orders", "fills", "settlements")
    return message["channel"], None if private else message.get("security")


class BookView:
    """A book kept from a snapshot and updates, as a bot would."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[str, tuple[int, int]]] = {"bids": {}, "asks": {}}

    def apply(self, message: Message) -> None:
        """One message of the book channel."""
        for side, levels in self.sides.items():
            if message["type"] == "snapshot":
                levels.clear()
            for level in message[side]:
                if level["quantity"]:
                    levels[level["price"]] = (level["quantity"], level["orders"])
                else:
                    del levels[level["price"]]

    @classmethod
    def of(cls, messages: list[Message]) -> "BookView":
        """The book after all these messages."""
        view = cls()
        for message in messages:
            view.apply(message)
        return view

    @classmethod
    def of_rest(cls, book: Message) -> "BookView":
        """The book that REST shows."""
        return cls.of([book | {"type": "snapshot"}])


class InBackground:
    """Runs `work` in a thread; its exception comes out at `join`."""

    def __init__(self, work: Any) -> None:
        self._error: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join(60)
        if self._error is not None:
            raise self._error
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
