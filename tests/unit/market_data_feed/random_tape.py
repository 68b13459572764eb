"""A seeded market: event batches that fit together, with every kind of event in them."""

import random

from tests.unit.market_data_feed.tape import Tape

CLIENTS = ("alice", "bob", "carol")


class RandomMarket:
    """Makes one random batch after the other."""

    def __init__(self, seed: int, securities: tuple[str, ...] = ("AAPL", "MSFT")) -> None:
        self.tape = Tape()
        self._dice = random.Random(seed)
        self._securities = securities
        self._last_id = 0

    def play(self, batches: int) -> Tape:
        """Append this many batches; the tape."""
        for _ in range(batches):
            self.tape.batch(*self._lines())
        return self.tape

    def _lines(self) -> list[str]:
        dice = self._dice
        open_ids = [order_id for order_id, order in self.tape.orders.items() if order.leaves]
        kind = dice.choices(
            ("new", "take", "cancel", "amend", "reject", "mass"), (40, 30, 15, 8, 5, 2)
        )[0]
        if kind == "new" or not open_ids:
            return [
                self._new(
                    dice.choice(("BUY", "SELL")), dice.choice(self._securities), self._price()
                )
            ]
        order_id = dice.choice(open_ids)
        order = self.tape.orders[order_id]
        if kind == "take":
            return self._take(order_id)
        if kind == "cancel":
            return [f"cancel {order_id}"]
        if kind == "amend":
            filled = order.quantity - order.leaves
            return [
                f"amend {order_id} {filled + dice.randint(0 if filled else 1, 9)}@{self._price()}"
            ]
        if kind == "reject":
            return [f"cancel_rejected {order_id} {order.client_id} order.not_open"]
        ids = [i for i in open_ids if self.tape.orders[i].client_id == order.client_id]
        return [*(f"cancel {i}" for i in ids), f"mass_cancel {order.client_id} {len(ids)}"]

    def _take(self, resting_id: int) -> list[str]:
        """Somebody else takes from a resting order; what is left of the taker is canceled or
        rests.
        """
        dice = self._dice
        resting = self.tape.orders[resting_id]
        taken = dice.randint(1, resting.leaves)
        more = dice.choice((0, 0, 3))
        side = "SELL" if resting.side == "BUY" else "BUY"
        client_id = dice.choice([name for name in CLIENTS if name != resting.client_id])
        price = f"{resting.price_e4 // 10_000}.{resting.price_e4 % 10_000 // 100:02d}"
        new = self._new(side, resting.security_id, price, taken + more, client_id)
        buy, sell = (self._last_id, resting_id) if side == "BUY" else (resting_id, self._last_id)
        lines = [new, f"trade {buy} {sell} {taken}@{price} {side}"]
        return (
            [*lines, f"cancel {self._last_id} ioc_remainder"]
            if more and dice.random() < 0.5
            else lines
        )

    def _new(
        self,
        side: str,
        security_id: str,
        price: str,
        quantity: int | None = None,
        client_id: str | None = None,
    ) -> str:
        self._last_id += 1
        client_id = client_id or self._dice.choice(CLIENTS)
        return (
            f"new {self._last_id} {client_id} {side} "
            f"{quantity or self._dice.randint(1, 9)}@{price} {security_id}"
        )

    def _price(self) -> str:
        return f"100.{self._dice.randint(0, 20):02d}"
