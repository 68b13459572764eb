"""Every step is first done in a private engine: that tells which orders are open, and what must
come of it all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from sortedcontainers import SortedDict

from venue_protocol.codec import SCHEMA
from venue_protocol.commands import AmendOrder, CancelOrder, Command, CommandBatch, PlaceOrder
from venue_protocol.events import EventBatch, OrderAmended, OrderCanceled, Trade
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import BUY, GTC, LIMIT, SELL, Side, TimeInForce
from venue_trials.recorded_flow.owners import assign_owners
from venue_trials.recorded_flow.steps import (
    AmendStep,
    CancelStep,
    Levels,
    PlaceStep,
    ReplayFill,
    Step,
)

_SECURITY = "REPLAY"


class Engine(Protocol):
    """The part of the matching engine that a rehearsal needs."""

    def apply(self, batch: CommandBatch) -> EventBatch:
        """The events that a batch leads to."""
        ...


@dataclass
class _Order:
    name: str
    owner: str
    order_id: int
    side: Side
    price_e4: int
    filled: int
    leaves: int


class Rehearsal:
    """Turns intentions into steps, doing each in the engine at once.

    Orders go by their recorded id, the label.
    """

    def __init__(self, engine: Engine) -> None:
        self._steps: list[Step] = []
        self._traded: list[tuple[str, str]] = []
        self.fills: list[ReplayFill] = []
        self.labels: dict[str, str] = {}
        self.at_s: float | None = None
        """Recorded time of the steps that follow."""
        self._engine = engine
        self._sequence = 0
        self._orders: dict[int, _Order] = {}
        self._newest: dict[str, _Order] = {}
        self._levels: dict[Side, SortedDict[int, dict[int, int]]] = {
            BUY: SortedDict(),
            SELL: SortedDict(),
        }
        """Leaves of each order at each price, oldest first."""
        self._sizes: dict[Side, dict[int, int]] = {BUY: {}, SELL: {}}
        """Their sums: a whole day asks for the book after each of its messages."""

    def place(
        self, label: str, side: Side, quantity: int, price_e4: int, time_in_force: TimeInForce = GTC
    ) -> str:
        """Place an order; its name. A label may be used again: it then means the newest order.

        `steps` finds an account for it; here buyers and sellers are apart.
        """
        name = str(len(self.labels) + 1)
        order = _Order(name, side, sharded_id(0, self._sequence + 1), side, price_e4, 0, quantity)
        self.labels[name] = label
        self._orders[order.order_id] = self._newest[label] = order
        self._steps.append(
            PlaceStep(side, name, side, quantity, price_e4, time_in_force, self.at_s)
        )
        self._apply(
            PlaceOrder(side, _SECURITY, side, LIMIT, time_in_force, quantity, price_e4, name)
        )
        if order.leaves:
            self._level(order)[order.order_id] = order.leaves
            sizes = self._sizes[side]
            sizes[price_e4] = sizes.get(price_e4, 0) + order.leaves
        return name

    def is_known(self, label: str) -> bool:
        """Whether an order with this label was ever placed."""
        return label in self._newest

    def leaves(self, label: str) -> int:
        """Open shares of the newest order with this label; 0 when it ended or never was."""
        order = self._newest.get(label)
        return order.leaves if order else 0

    def cancel(self, label: str) -> None:
        """Cancel the newest order with this label.

        One that ended stays ended, and the step says so.
        """
        order = self._newest[label]
        self._steps.append(CancelStep(order.owner, order.name, order.leaves > 0, self.at_s))
        self._apply(CancelOrder(order.owner, order.order_id))

    def reduce(self, label: str, quantity: int) -> None:
        """Take `quantity` shares from an open order, keeping its place; all of it is a cancel."""
        order = self._newest[label]
        if quantity >= order.leaves:
            self.cancel(label)
            return
        total = order.filled + order.leaves - quantity
        self._steps.append(AmendStep(order.owner, order.name, total, self.at_s))
        self._apply(AmendOrder(order.owner, order.order_id, total, order.price_e4, 0))

    def labels_beyond(self, side: Side, price_e4: int) -> list[str]:
        """Labels of the open orders at prices worse than `price_e4`, best price and oldest
        first.
        """
        book = self._levels[side]
        prices = (
            reversed(list(book.irange(maximum=price_e4, inclusive=(True, False))))
            if side == BUY
            else list(book.irange(minimum=price_e4, inclusive=(False, True)))
        )
        names = [
            self._orders[number].name for price in prices for number in self._levels[side][price]
        ]
        return [self.labels[name] for name in names]

    def size_at(self, side: Side, price_e4: int) -> int:
        """Open shares at a price."""
        return self._sizes[side].get(price_e4, 0)

    def labels_at(self, side: Side, price_e4: int) -> list[str]:
        """Labels of the open orders at a price, oldest first."""
        level = self._levels[side].get(price_e4, {})
        return [self.labels[self._orders[number].name] for number in level]

    def would_trade_with(self, side: Side, quantity: int, price_e4: int) -> Iterator[ReplayFill]:
        """The fills that price-time priority gives an order that arrives now; taker is ""."""
        resting: Side = SELL if side == BUY else BUY
        for price in self._prices(resting):
            if price > price_e4 if side == BUY else price < price_e4:
                return
            for number, leaves in self._levels[resting][price].items():
                taken = min(leaves, quantity)
                yield ReplayFill(price, taken, self.labels[self._orders[number].name], "")
                quantity -= taken
                if not quantity:
                    return

    def steps(self, accounts: int) -> list[Step]:
        """All steps so far, spread over so many accounts."""
        return assign_owners(self._steps, self._traded, accounts)

    def levels(self, depth: int | None = None) -> Levels:
        """The price levels now, the best `depth` of each side."""
        return Levels(self._side_levels(BUY, depth), self._side_levels(SELL, depth))

    def _side_levels(self, side: Side, depth: int | None) -> list[tuple[int, int]]:
        prices = islice(self._prices(side), depth)
        return [(price, self._sizes[side][price]) for price in prices]

    def _prices(self, side: Side) -> Iterator[int]:
        prices = self._levels[side]
        return reversed(prices) if side == BUY else iter(prices)

    def _apply(self, command: Command) -> None:
        self._sequence += 1
        batch = self._engine.apply(
            CommandBatch(SCHEMA, 0, self._sequence, self._sequence, [command])
        )
        for event in batch.events:
            take = _TAKERS.get(type(event))
            if take is not None:
                take(self, event)

    def _trade(self, trade: Trade) -> None:
        buy, sell = self._orders[trade.buy_order_id], self._orders[trade.sell_order_id]
        maker, taker = (sell, buy) if trade.aggressor == BUY else (buy, sell)
        labels = self.labels[maker.name], self.labels[taker.name]
        self.fills.append(ReplayFill(trade.price_e4, trade.quantity, *labels))
        self._traded.append((maker.name, taker.name))
        for order, leaves in ((buy, trade.buy_leaves), (sell, trade.sell_leaves)):
            order.filled += trade.quantity
            self._set_leaves(order, leaves)

    def _canceled(self, event: OrderCanceled) -> None:
        self._set_leaves(self._orders[event.order_id], 0)

    def _amended(self, event: OrderAmended) -> None:
        self._set_leaves(self._orders[event.order_id], event.leaves)

    def _set_leaves(self, order: _Order, leaves: int) -> None:
        order.leaves = leaves
        levels = self._levels[order.side]
        level = levels.get(order.price_e4)
        if level is None or order.order_id not in level:
            return
        self._sizes[order.side][order.price_e4] += leaves - level[order.order_id]
        if leaves:
            level[order.order_id] = leaves
            return
        del level[order.order_id]
        if not level:
            del levels[order.price_e4], self._sizes[order.side][order.price_e4]

    def _level(self, order: _Order) -> dict[int, int]:
        level: dict[int, int] = self._levels[order.side].setdefault(order.price_e4, {})
        return level


_TAKERS: dict[type, Callable[..., None]] = {
    Trade: Rehearsal._trade,
    OrderCanceled: Rehearsal._canceled,
    OrderAmended: Rehearsal._amended,
}
