"""Order entry over one WebSocket: less work an order than a request each, and the same promises.

Each command has a name, so a frame whose answer did not come is sent again after a cut without
doing anything twice: the venue answers a repetition with the first answer. A cancel needs no name:
one that was sent again and finds its order canceled is done, and has a receipt.
"""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from trading_bots.backoff import Backoff
from trading_bots.commands import Amend, Amount, Cancel, Command, Place, command_json
from trading_bots.records import Receipt
from trading_bots.refusal import Refused, VenueUnavailable, refusal_of
from trading_bots.results import result_of

_OPEN_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 1.0
_RATE_LIMITED = "rate.limited"

Frame = list[dict[str, Any]]


class OrderSocket:
    """Places, amends and cancels; made by `VenueClient.order_socket`.

    Serves one thread; `close` from any.
    """

    def __init__(
        self,
        order_entry_url: str,
        api_key: str,
        named: Callable[[Sequence[Command]], list[Command]],
        timeout_s: float = 5.0,
        patience_s: float = 30.0,
    ) -> None:
        parts = urlsplit(order_entry_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._url = urlunsplit(
            (scheme, parts.netloc, f"{parts.path.rstrip('/')}/v1/order-entry", "", "")
        )
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._named = named
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._closing = threading.Event()
        self._connection: ClientConnection | None = None
        self._frames = 0
        self._is_repeated = False
        """Whether the newest frame was sent more than once."""

    def place(
        self,
        security: str,
        side: str,
        quantity: int,
        price: Amount | None = None,
        time_in_force: str | None = None,
        client_order_id: str | None = None,
    ) -> Receipt:
        """As `VenueClient.place`: when it returns, the order is durable."""
        return self._one(Place(security, side, quantity, price, time_in_force, client_order_id))

    def amend(
        self, order_id: int, quantity: int | None = None, price: Amount | None = None
    ) -> Receipt:
        """As `VenueClient.amend`."""
        return self._one(Amend(order_id, None, quantity, price))

    def cancel(self, order_id: int) -> Receipt:
        """As `VenueClient.cancel`."""
        return self._one(Cancel(order_id))

    def cancel_all(self, security: str | None = None) -> None:
        """Cancel every open order, or those in one security."""
        named = {} if security is None else {"security": security}
        refusal = refusal_of(self._ask([{"action": "cancel_all", **named}])[0])
        if refusal is not None:
            raise refusal

    def send(self, commands: Sequence[Command]) -> list[Receipt | Refused]:
        """Do up to 500 commands in one frame, in order: for each its receipt or its refusal.

        Raises VenueUnavailable when the patience is over: send the same under the same names again
        (`VenueClient.named` gives them).
        """
        if not commands:
            return []
        frame = [command_json(command) for command in self._named(commands)]
        answers = self._ask(frame)
        return [
            result_of(action, answer, self._is_repeated)
            for action, answer in zip(frame, answers, strict=True)
        ]

    def close(self) -> None:
        """End the connection; a call that waits raises VenueUnavailable."""
        self._closing.set()
        self._drop()

    def __enter__(self) -> "OrderSocket":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._drop()

    def _one(self, command: Command) -> Receipt:
        (result,) = self.send([command])
        if isinstance(result, Refused):
            raise result
        return result

    def _ask(self, frame: Frame) -> list[dict[str, Any]]:
        """The answers, one an action, once each is definite; the frame is repeated as a whole until
        then.
        """
        deadline = time.monotonic() + self._patience_s
        backoff = Backoff()
        self._is_repeated = False
        while True:
            answers, failure, retry_after_s = self._attempt(frame)
            if failure is None:
                return answers
            pause_s = backoff.next_s(retry_after_s)
            if time.monotonic() + pause_s > deadline or self._closing.wait(pause_s):
                raise VenueUnavailable(f"order entry: {failure}")
            self._is_repeated = True

    def _attempt(self, frame: Frame) -> tuple[list[dict[str, Any]], str | None, float]:
        """(answers, None, 0), or ([], why there are none yet, seconds the venue asked to wait)."""
        self._frames += 1
        text = msgspec.json.encode([{**action, "id": self._frames} for action in frame]).decode()
        try:
            connection = self._connected()
            connection.send(text)
            content = msgspec.json.decode(connection.recv(timeout=self._timeout_s))
        except (
            OSError,
            TimeoutError,
            InvalidHandshake,
            ConnectionClosed,
            msgspec.DecodeError,
        ) as error:
            # An answer that comes late must not be taken for that of the next frame.
            self._drop()
            return [], type(error).__name__, 0.0
        except BaseException:
            self._drop()
            raise
        if isinstance(content, list):
            return self._checked(content, len(frame))
        return self._whole_frame_refused(content)

    def _checked(
        self, answers: list[dict[str, Any]], expected: int
    ) -> tuple[list[dict[str, Any]], str | None, float]:
        if len(answers) != expected or any(answer.get("id") != self._frames for answer in answers):
            self._drop()
            return [], "answers to another frame", 0.0
        codes = [refusal.code for answer in answers if (refusal := refusal_of(answer))]
        unclear = next((code for code in codes if _passes(code)), None)
        return (answers, None, 0.0) if unclear is None else ([], unclear, 0.0)

    def _whole_frame_refused(self, content: Any) -> tuple[list[dict[str, Any]], str | None, float]:
        """Ask again later where it passes; raises Refused where it does not."""
        refusal = refusal_of(content)
        if refusal is None:
            self._drop()
            return [], "an answer that is none", 0.0
        if _passes(refusal.code):
            return [], refusal.code, float(content.get("retry_after_s", 0))
        raise refusal

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            # Entered here and left by `_drop`: it outlives any one block.
            self._connection = connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                proxy=None,
                max_size=None,
            ).__enter__()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _passes(code: str) -> bool:
    """Whether the venue means "ask again"."""
    return code == _RATE_LIMITED or code.startswith("service.")
