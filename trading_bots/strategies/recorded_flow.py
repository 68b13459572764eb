"""Recorded flow: sends the orders of a recording again, at the recorded times.

Source: LOBSTER (Huang, Polak, "LOBSTER: limit order book reconstruction system", 2011) and the
matching consensus, in the files that `./venue replay orders` reads.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from trading_bots.commands import Amend, Cancel, Intent, Place, WakeUp
from trading_bots.recorded_messages import RecordedMessage, read_recording
from trading_bots.sizing import within_means
from trading_bots.strategy import Strategy, View, on_tick


class RecordedFlow(Strategy):
    """Plays `file` into the first security, one `side` of it or both, from `skip` messages on.

    Prices keep their distance, as a part of the price, from the first one, which becomes the fair
    price at the start. Where a recording has no times, `rate` messages are sent a second. Two own
    orders never trade, so for a market of its own take a bot for each side.
    """

    def __init__(
        self,
        file: str,
        side: str | None = None,
        rate: float = 20.0,
        speed: float = 1.0,
        skip: int = 0,
    ) -> None:
        self._messages = read_recording(Path(file))[skip:]
        self._side, self._rate, self._speed = side, rate, speed
        self._sent = 0
        self._start_us = 0
        self._scale = Decimal(1)
        self._labels: dict[str, tuple[str, int]] = {}
        """Name and quantity of the own order for each label of the recording."""

    def on_start(self, view: View) -> Iterator[Intent]:
        """The first message is due at once."""
        self._start_us = view.now_us
        prices = [message.price for message in self._messages if message.price]
        if prices:
            self._scale = view.fair_price(view.securities[0]) / prices[0]
            yield WakeUp(0.0)

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One message, and the time of the next."""
        if self._sent >= len(self._messages):
            return
        message = self._messages[self._sent]
        self._sent += 1
        yield from self._replay(view, message)
        if self._sent < len(self._messages):
            yield WakeUp(self._pause_s(message, self._messages[self._sent]))

    def _pause_s(self, message: RecordedMessage, following: RecordedMessage) -> float:
        if message.after_s is None or following.after_s is None:
            return 1 / self._rate
        return (following.after_s - message.after_s) / self._speed

    def _replay(self, view: View, message: RecordedMessage) -> Iterator[Intent]:
        if message.kind in ("place", "take"):
            if self._side in (None, message.side):
                yield from self._order(view, message)
        elif message.label in self._labels:
            name, quantity = self._labels.pop(message.label)
            left = quantity - message.quantity
            if message.kind == "reduce" and left > 0:
                self._labels[message.label] = (name, left)
                yield Amend(client_order_id=name, quantity=left)
            else:
                yield Cancel(client_order_id=name)

    def _order(self, view: View, message: RecordedMessage) -> Iterator[Intent]:
        security = view.securities[0]
        price = on_tick(view.rules(security), message.price * self._scale)
        quantity = within_means(view, security, message.side, price, message.quantity)
        if not quantity:
            return
        name = f"r{self._start_us}-{self._sent}"
        if message.kind == "place":
            self._labels[message.label] = (name, quantity)
        in_force = "IOC" if message.kind == "take" else None
        yield Place(security, message.side, quantity, price, in_force, client_order_id=name)
