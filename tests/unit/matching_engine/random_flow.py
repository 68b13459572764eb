"""A seeded log in which every order type meets every other, crowded at few prices."""

import random

from venue_protocol import codec
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    Command,
    CommandBatch,
    PlaceOrder,
)
from venue_protocol.orders import BUY, SELL, OrderTerms

_CLIENTS = ("ann", "bob", "cat")
_PREVENTIONS = ("cancel_newest", "cancel_oldest", "cancel_both", "decrement")


class RandomFlow:
    """Draws batches.

    Amends and cancels mostly name orders of their senders, as the flow remembers who placed what.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._placed: dict[int, PlaceOrder] = {}
        self._next = 1
        self._time_us = 0

    def batch(self) -> CommandBatch:
        """The next 1 to 6 commands."""
        self._time_us += self._dice.randint(1, 9)
        first = self._next
        commands = [
            self._command(sequence) for sequence in range(first, first + self._dice.randint(1, 6))
        ]
        self._next += len(commands)
        return CommandBatch(codec.SCHEMA, 0, first, self._time_us, commands)

    def _command(self, sequence: int) -> Command:
        dice, draw = self._dice, self._dice.random()
        if draw < 0.62 or not self._placed:
            self._placed[sequence] = self._place()
            return self._placed[sequence]
        order_id = dice.choice(list(self._placed)[-40:])
        client = self._placed[order_id].client_id if dice.random() < 0.9 else dice.choice(_CLIENTS)
        if draw < 0.80:
            return CancelOrder(client, order_id)
        if draw < 0.97:
            price_e4 = self._placed[order_id].price_e4 if dice.random() < 0.5 else self._price_e4()
            return AmendOrder(client, order_id, dice.randint(1, 30), price_e4, 10**9)
        if draw < 0.99:
            return AdvanceTime()
        return CancelAllOrders(client, dice.choice((None, "AAPL", "MSFT")))

    def _price_e4(self) -> int:
        return self._dice.randint(97, 103) * 100

    def _place(self) -> PlaceOrder:
        dice = self._dice
        side, edge_e4 = dice.choice(((BUY, 10_600), (SELL, 9_400)))
        kind = dice.choice(
            ("limit",) * 3
            + ("market", "stop", "stop_limit", "iceberg", "post_only", "min_quantity")
        )
        tif = (
            dice.choice(("IOC", "FOK"))
            if kind == "market" or (kind == "limit" and dice.random() < 0.3)
            else "GTC"
        )
        quantity = dice.randint(1, 12) if kind != "iceberg" else dice.randint(4, 40)
        expires_us = None
        if kind == "min_quantity":
            tif = "IOC"
        elif tif == "GTC" and dice.random() < 0.3:
            tif, expires_us = "GTD", self._time_us + dice.randint(-2, 60)
        terms = OrderTerms(
            self._price_e4() if kind in ("stop", "stop_limit") else None,
            expires_us,
            dice.randint(1, quantity) if kind == "min_quantity" else None,
            dice.randint(1, 5) if kind == "iceberg" else None,
            kind == "post_only",
            dice.choice(_PREVENTIONS) if dice.random() < 0.6 else "cancel_newest",
        )
        order_type = kind if kind in ("market", "stop", "stop_limit") else "limit"
        price_e4 = edge_e4 if kind in ("market", "stop") else self._price_e4()
        return PlaceOrder(
            dice.choice(_CLIENTS),
            dice.choice(("AAPL", "AAPL", "MSFT")),
            side,  # type: ignore[arg-type]
            order_type,  # type: ignore[arg-type]
            tif,  # type: ignore[arg-type]
            quantity,
            price_e4,
            None,
            terms if terms != OrderTerms() else None,
        )
