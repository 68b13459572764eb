"""Order entry over one WebSocket: less work for each order than over REST, and the same promises.

Each order and amend has a name, so a frame whose answer did not come can be sent again after a cut:
the venue answers a repetition with the first answer. A cancel needs no name: one that is sent again
and finds its order canceled counts as done, and gets a receipt.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from trading_bots.backoff import Backoff
from trading_bots.commands import Amend, Amount, Cancel, Command, Place, command_json
from trading_bots.records import Receipt
from trading_bots.refusal import Refused, VenueUnavailable, refusal_of
from trading_bots.results import result_of
from trading_bots.websocket import CONNECTION_FAULTS, ReopeningWebSocket

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
        self._socket = ReopeningWebSocket(order_entry_url, "/v1/order-entry", api_key)
        self._named = named
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._closing = threading.Event()
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
        **terms: Any,
    ) -> Receipt:
        """As `VenueClient.place`: the order is durable when this returns."""
        return self._send_one(
            Place(security, side, quantity, price, time_in_force, client_order_id, **terms)
        )

    def amend(
        self, order_id: int, quantity: int | None = None, price: Amount | None = None
    ) -> Receipt:
        """As `VenueClient.amend`."""
        return self._send_one(Amend(order_id, None, quantity, price))

    def cancel(self, order_id: int) -> Receipt:
        """As `VenueClient.cancel`."""
        return self._send_one(Cancel(order_id))

    def cancel_all(self, security: str | None = None) -> None:
        """Cancel every open order, or those in one security."""
        named = {} if security is None else {"security": security}
        refusal = refusal_of(self._ask([{"action": "cancel_all", **named}])[0])
        if refusal is not None:
            raise refusal

    def send(self, commands: Sequence[Command]) -> list[Receipt | Refused]:
        """Send up to MOST_COMMANDS commands in one frame: for each its receipt or its refusal.

        The venue does them in order. Raises VenueUnavailable when the patience is over; the same
        commands may then be sent again under the same names (`VenueClient.named` gives them).
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
        """Close the connection; a call that waits raises VenueUnavailable."""
        self._closing.set()
        self._socket.drop()

    def __enter__(self) -> "OrderSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send_one(self, command: Command) -> Receipt:
        (result,) = self.send([command])
        if isinstance(result, Refused):
            raise result
        return result

    def _ask(self, frame: Frame) -> list[dict[str, Any]]:
        """One answer for each action; the frame is repeated as a whole until all are definite."""
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
            connection = self._socket.connected()
            connection.send(text)
            content = msgspec.json.decode(connection.recv(timeout=self._timeout_s))
        except (*CONNECTION_FAULTS, msgspec.DecodeError) as error:
            # An answer that comes late must not be taken for that of the next frame.
            self._socket.drop()
            return [], type(error).__name__, 0.0
        except BaseException:
            self._socket.drop()
            raise
        if isinstance(content, list):
            return self._answers_to_frame(content, len(frame))
        return self._refusal_of_frame(content)

    def _answers_to_frame(
        self, answers: list[dict[str, Any]], expected: int
    ) -> tuple[list[dict[str, Any]], str | None, float]:
        if len(answers) != expected or any(answer.get("id") != self._frames for answer in answers):
            self._socket.drop()
            return [], "answers to another frame", 0.0
        codes = [refusal.code for answer in answers if (refusal := refusal_of(answer))]
        open_code = next((code for code in codes if _means_ask_again(code)), None)
        return (answers, None, 0.0) if open_code is None else ([], open_code, 0.0)

    def _refusal_of_frame(self, content: Any) -> tuple[list[dict[str, Any]], str | None, float]:
        """The frame was refused as a whole: ask again later, or raise Refused."""
        refusal = refusal_of(content)
        if refusal is None:
            self._socket.drop()
            return [], "an answer of no known shape", 0.0
        if _means_ask_again(refusal.code):
            return [], refusal.code, float(content.get("retry_after_s", 0))
        raise refusal


def _means_ask_again(code: str) -> bool:
    """Whether this refusal passes, so that the same frame may be sent again later."""
    return code == _RATE_LIMITED or code.startswith("service.")
