"""The depth of one security, from the snapshot and the updates of the `book` channel."""

import threading
from decimal import Decimal
from typing import Any

from trading_bots.records import Book, Level

SHOWN_LEVELS = 20
"""Price levels a side that a strategy sees."""


class BookDepth:
    """All price levels of one book. One thread applies, any reads."""

    def __init__(self, security: str) -> None:
        self._security = security
        self._guard = threading.Lock()
        self._sides: dict[str, dict[Decimal, int]] = {"bids": {}, "asks": {}}
        self._sequence = 0
        self._book: Book | None = None

    def apply(self, message: dict[str, Any]) -> bool:
        """Take over a snapshot or an update; False while more of it must follow.

        In an update a level of quantity 0 is gone.
        """
        with self._guard:
            if message.get("type") == "snapshot":
                for levels in self._sides.values():
                    levels.clear()
            for side, levels in self._sides.items():
                for level in message[side]:
                    price, quantity = Decimal(level["price"]), level["quantity"]
                    if quantity:
                        levels[price] = quantity
                    else:
                        levels.pop(price, None)
            self._sequence = message["sequence"]
            if message.get("continues", False):
                return False
            self._book = None
            return True

    def book(self) -> Book:
        """The best SHOWN_LEVELS of each side, best first. Between two updates the same object.

        While only a part of a long update has come, the book of before it, if it was looked at.
        """
        with self._guard:
            if self._book is None:
                self._book = Book(
                    security=self._security,
                    bids=self._best("bids", is_highest_best=True),
                    asks=self._best("asks", is_highest_best=False),
                    sequence=self._sequence,
                )
            return self._book

    def _best(self, side: str, is_highest_best: bool) -> list[Level]:
        levels = self._sides[side]
        prices = sorted(levels, reverse=is_highest_best)[:SHOWN_LEVELS]
        return [Level(price=price, quantity=levels[price]) for price in prices]
