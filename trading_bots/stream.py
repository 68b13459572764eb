"""The live stream: a WebSocket that comes back by itself and resumes where it was cut."""

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from trading_bots.backoff import Backoff
from trading_bots.refusal import VenueUnavailable, refusal_of

RESUMABLE = frozenset({"orders", "fills", "settlements", "trades"})
"""Channels that the venue replays from a sequence; the others start with the state of now."""
_PATIENCE_S = 60.0
_OPEN_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 1.0

Subscription = tuple[str, str | None]


class Stream:
    """Subscriptions over one connection. One thread reads; `close` may come from another.

    After a cut it connects again, subscribes again, and asks for what it missed, so a reader sees
    each message of a resumable channel exactly once, in order. A hole in the numbers is treated
    as a cut.
    """

    def __init__(self, market_data_url: str, api_key: str | None = None) -> None:
        parts = urlsplit(market_data_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._url = urlunsplit(
            (scheme, parts.netloc, f"{parts.path.rstrip('/')}/v1/stream", "", "")
        )
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._last_seen: dict[Subscription, int | None] = {}
        self._connection: ClientConnection | None = None
        self._closing = threading.Event()
        self._backoff = Backoff()
        self._failing_since: float | None = None

    def subscribe(
        self, channel: str, security: str | None = None, resume_from: int | None = None
    ) -> None:
        """Ask for a channel: price, book, trades, status of a security; orders, fills, settlements
        of one's own.

        `resume_from`: the last sequence already seen; everything after it comes first.
        """
        self._last_seen[channel, security] = resume_from
        if self._connection is not None:
            self._send_subscription(self._connection, (channel, security))

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message of a subscribed channel; None when `timeout_s` passes or the stream is
        closed.

        Raises Refused when the venue refuses a subscription, VenueUnavailable when it stays away.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._closing.is_set():
            remaining_s = None if deadline is None else deadline - time.monotonic()
            if remaining_s is not None and remaining_s <= 0:
                return None
            connection = self._connected()
            if connection is None:
                pause_s = self._backoff.next_s()
                self._closing.wait(pause_s if remaining_s is None else min(pause_s, remaining_s))
                continue
            try:
                text = connection.recv(timeout=remaining_s)
            except TimeoutError:
                return None
            except ConnectionClosed:
                self._drop()
                continue
            content = msgspec.json.decode(text)
            if _is_away(content):
                self._drop()
                self._closing.wait(self._backoff.next_s())
                continue
            self._backoff.reset()
            message = self._in_order(content)
            if message is not None:
                return message
        return None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Messages until the stream is closed."""
        while (message := self.receive()) is not None:
            yield message

    def close(self) -> None:
        """End the stream; a `receive` that waits returns None."""
        self._closing.set()
        self._drop()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _in_order(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """The message if it follows what was seen; None for a control message, a repeat, or behind
        a hole.
        """
        refusal = refusal_of(message)
        if refusal is not None:
            raise refusal
        key = (message.get("channel", ""), message.get("security"))
        subscription = key if key in self._last_seen else (key[0], None)
        sequence = message.get("sequence")
        if subscription not in self._last_seen or not isinstance(sequence, int):
            return None
        if "action" in message:
            if self._last_seen[subscription] is None and subscription[0] in RESUMABLE:
                self._last_seen[subscription] = sequence
            return None
        last, previous = self._last_seen[subscription], message.get("previous")
        if last is not None and previous is not None and previous > last:
            self._drop()
            return None
        if (
            subscription[0] in RESUMABLE
            and last is not None
            and sequence <= last
            and previous is not None
        ):
            return None
        self._last_seen[subscription] = sequence
        return message

    def _connected(self) -> ClientConnection | None:
        """The connection, with every subscription sent again if it is new; None if there is none
        yet.
        """
        if self._connection is None:
            try:
                # Entered here and left by `_drop`: it outlives any one block.
                self._connection = connect(
                    self._url,
                    additional_headers=self._headers,
                    open_timeout=_OPEN_TIMEOUT_S,
                    close_timeout=_CLOSE_TIMEOUT_S,
                    proxy=None,
                    max_size=None,
                ).__enter__()
            except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
                self._failed(error)
                return None
            self._failing_since = None
            for subscription in self._last_seen:
                self._send_subscription(self._connection, subscription)
        return self._connection

    def _failed(self, error: Exception) -> None:
        """Take note of a failed attempt; VenueUnavailable when they go on for too long."""
        self._failing_since = self._failing_since or time.monotonic()
        if time.monotonic() - self._failing_since > _PATIENCE_S:
            self._failing_since = None
            raise VenueUnavailable(f"stream: {error}") from error

    def _send_subscription(self, connection: ClientConnection, subscription: Subscription) -> None:
        channel, security = subscription
        request: dict[str, Any] = {"action": "subscribe", "channel": channel}
        if security is not None:
            request["security"] = security
        last = self._last_seen[subscription]
        if channel in RESUMABLE and last is not None:
            request["resume_from"] = last
        elif channel not in RESUMABLE:
            self._last_seen[subscription] = None
        try:
            connection.send(msgspec.json.encode(request).decode())
        except ConnectionClosed:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _is_away(content: dict[str, Any]) -> bool:
    """Whether the venue says that it can't answer now: like a cut, and unlike a refusal, it
    passes.
    """
    refusal = refusal_of(content)
    return refusal is not None and refusal.code.startswith("service.")
