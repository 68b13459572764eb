"""Hand-made event batches in a one-line notation; keeps each order's terms so that events fit
together.

    tape.batch("new 1 alice BUY 10@100.00", "new 2 bob SELL 4@100.00", "trade 1 2 4@100.00 SELL",
    "cancel 1")

`new ID CLIENT SIDE QUANTITY@PRICE [SECURITY] [TIF]`, `trade BUY_ID SELL_ID QUANTITY@PRICE
AGGRESSOR`, `cancel ID [REASON]`, `amend ID QUANTITY@PRICE`, `cancel_rejected ID CLIENT REASON`,
`mass_cancel CLIENT COUNT`.
"""

from dataclasses import dataclass
from typing import Any

from venue_protocol.events import (
    CancelRejected,
    Event,
    EventBatch,
    MassCancelReport,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    Trade,
)
from venue_protocol.identifiers import sharded_id
from venue_protocol.money import parse_e4

START_US = 1_700_000_000_000_000


@dataclass
class _Terms:
    client_id: str
    security_id: str
    side: Any
    price_e4: int
    quantity: int
    leaves: int


class Tape:
    """The event stream of one shard."""

    def __init__(self, shard: int = 0) -> None:
        self.shard = shard
        self.orders: dict[int, _Terms] = {}
        self.batches: list[EventBatch] = []
        self._next_event = 1
        self._next_log = 1
        self._trades = 0

    def batch(self, *lines: str) -> EventBatch:
        """The next batch, with one event a line."""
        events = [self._event(line.split()) for line in lines]
        first, log = self._next_event, self._next_log
        self._next_event += len(events)
        self._next_log += 1
        made = EventBatch(1, self.shard, first, log, log, START_US + 1000 * log, events)
        self.batches.append(made)
        return made

    def _event(self, words: list[str]) -> Event:
        kind, *rest = words
        event: Event = getattr(self, f"_{kind}")(*rest)
        return event

    def _new(
        self,
        order_id: str,
        client_id: str,
        side: Any,
        terms: str,
        security_id: str = "AAPL",
        tif: Any = "GTC",
    ) -> Event:
        quantity, price_e4 = _terms(terms)
        self.orders[int(order_id)] = _Terms(
            client_id, security_id, side, price_e4, quantity, quantity
        )
        name = f"c{order_id}"
        return OrderAccepted(
            int(order_id), client_id, security_id, side, "limit", tif, quantity, price_e4, name
        )

    def _trade(self, buy_id: str, sell_id: str, terms: str, aggressor: Any) -> Event:
        quantity, price_e4 = _terms(terms)
        buy, sell = self.orders[int(buy_id)], self.orders[int(sell_id)]
        buy.leaves -= quantity
        sell.leaves -= quantity
        self._trades += 1
        return Trade(
            sharded_id(self.shard, self._trades),
            buy.security_id,
            price_e4,
            quantity,
            aggressor,
            int(buy_id),
            buy.client_id,
            buy.price_e4,
            buy.leaves,
            int(sell_id),
            sell.client_id,
            sell.leaves,
        )

    def _cancel(self, order_id: str, reason: Any = "requested") -> Event:
        order = self.orders[int(order_id)]
        open_shares, order.leaves = order.leaves, 0
        return OrderCanceled(
            int(order_id),
            order.client_id,
            order.security_id,
            order.side,
            order.price_e4,
            open_shares,
            reason,
        )

    def _amend(self, order_id: str, terms: str) -> Event:
        order = self.orders[int(order_id)]
        quantity, price_e4 = _terms(terms)
        before_e4, before = order.price_e4, order.leaves
        order.leaves = quantity - (order.quantity - order.leaves)
        order.quantity, order.price_e4 = quantity, price_e4
        return OrderAmended(
            int(order_id),
            order.client_id,
            order.security_id,
            order.side,
            quantity,
            price_e4,
            order.leaves,
            before_e4,
            before,
            0,
        )

    def _cancel_rejected(self, order_id: str, client_id: str, reason: str) -> Event:
        return CancelRejected(int(order_id), client_id, reason)

    def _mass_cancel(self, client_id: str, count: str) -> Event:
        return MassCancelReport(client_id, None, int(count))


def _terms(text: str) -> tuple[int, int]:
    quantity, _, price = text.partition("@")
    return int(quantity), parse_e4(price)
