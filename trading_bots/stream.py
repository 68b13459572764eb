"""The live stream: a WebSocket that connects again by itself and resumes where it was cut."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from trading_bots.backoff import Backoff
from trading_bots.refusal import VenueUnavailable, refusal_of
from trading_bots.websocket import CONNECTION_FAULTS, ReopeningWebSocket

RESUMABLE = frozenset({"orders", "fills", "settlements", "trades", "corrections"})
"""Channels that the venue replays from a sequence; the others start with the state of now."""
_PATIENCE_S = 60.0
"""How long attempts to connect may fail in a row: longer than a restart of the whole venue."""

Subscription = tuple[str, str | None]

_decoder = msgspec.json.Decoder(dict[str, Any])


class Stream:
    """Subscriptions over one connection. One thread reads; `close` may come from another.

    After a cut it connects again, subscribes again, and asks for what it missed, so a reader sees
    each message of a resumable channel exactly once, in order. It treats a hole in the numbers as a
    cut. Pauses before a new connection grow until a message arrives in order.
    """

    def __init__(self, market_data_url: str, api_key: str | None = None) -> None:
        self._socket = ReopeningWebSocket(market_data_url, "/v1/stream", api_key)
        self._last_seen: dict[Subscription, int | None] = {}
        self._closing = threading.Event()
        self._backoff = Backoff()
        self._failing_since: float | None = None

    def subscribe(
        self, channel: str, security: str | None = None, resume_from: int | None = None
    ) -> None:
        """Ask for a channel: price, book, trades or status of a security, or the client's own
        orders, fills or settlements.

        `resume_from` is the last sequence already seen; everything after it comes first.
        """
        self._last_seen[channel, security] = resume_from
        if self._socket.current is not None:
            self._send_subscription(self._socket.current, (channel, security))

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message of a subscribed channel.

        None when `timeout_s` passes or the stream is closed. Raises Refused when the venue refuses
        a subscription, VenueUnavailable when it can't be reached for a minute.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._closing.is_set():
            remaining_s = None if deadline is None else deadline - time.monotonic()
            if remaining_s is not None and remaining_s <= 0:
                return None
            connection = self._connected()
            if connection is None:
                self._pause(deadline)
                continue
            try:
                text = connection.recv(timeout=remaining_s)
            except TimeoutError:
                return None
            except ConnectionClosed:
                self._socket.drop()
                continue
            message = self._admit(text)
            if message is not None:
                self._backoff.reset()
                return message
            if self._socket.current is None:
                self._pause(deadline)
        return None

    def _pause(self, deadline: float | None) -> None:
        """Wait before the next connection: longer each time, and never beyond the deadline."""
        pause_s = self._backoff.next_s()
        remaining_s = pause_s if deadline is None else max(deadline - time.monotonic(), 0)
        self._closing.wait(min(pause_s, remaining_s))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Messages until the stream is closed."""
        while (message := self.receive()) is not None:
            yield message

    def close(self) -> None:
        """End the stream; a `receive` that waits returns None."""
        self._closing.set()
        self._socket.drop()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _admit(self, text: str | bytes) -> dict[str, Any] | None:
        """The message if it follows what was seen.

        None for a control message and for a repetition; None with the connection dropped behind a
        hole, for what is no message, or when the venue says that it can't answer now. Raises
        another refusal.
        """
        try:
            message = _decoder.decode(text)
        except msgspec.DecodeError:
            self._socket.drop()
            return None
        refusal = refusal_of(message)
        if refusal is not None:
            if not refusal.code.startswith(("service.", "rate.")):
                raise refusal
            self._socket.drop()
            return None
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
            self._socket.drop()
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
        """The connection, with every subscription sent again if it is new; None if there is
        none yet.
        """
        if self._socket.current is None:
            try:
                connection = self._socket.connected()
            except CONNECTION_FAULTS as error:
                self._note_failure(error)
                return None
            self._failing_since = None
            for subscription in self._last_seen:
                self._send_subscription(connection, subscription)
        return self._socket.current

    def _note_failure(self, error: Exception) -> None:
        """Remember a failed attempt; VenueUnavailable when attempts fail for too long."""
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
            self._socket.drop()
