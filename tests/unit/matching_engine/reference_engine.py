"""The rules of the book again, slow and obvious: one list of orders, sorted at each step."""

from collections.abc import Iterable
from dataclasses import dataclass

from venue_protocol.commands import AmendOrder, CancelAllOrders, CancelOrder, Command, PlaceOrder
from venue_protocol.events import (
    AmendRejected,
    CancelRejected,
    Event,
    MassCancelReport,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    Trade,
)
from venue_protocol.holds import held_amount
from venue_protocol.orders import BUY, SELL, CancelReason, Side


@dataclass
class ReferenceOrder:
    """An order that was ever placed. `entered` is its place in time; an amend may renew it."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    quantity: int
    entered: int
    filled: int = 0
    state: str = "open"

    @property
    def leaves(self) -> int:
        """Open shares."""
        return self.quantity - self.filled


class ReferenceEngine:
    """Remembers every order for ever and searches them all each time."""

    def __init__(self) -> None:
        self.orders: list[ReferenceOrder] = []
        self.trades = 0
        self.sequence = 0

    def run(self, commands: Iterable[Command]) -> list[Event]:
        """The events of these commands."""
        events: list[Event] = []
        for command in commands:
            self.sequence += 1
            if isinstance(command, PlaceOrder):
                events += self._place(command)
            elif isinstance(command, CancelOrder):
                events += self._cancel(command)
            elif isinstance(command, AmendOrder):
                events += self._amend(command)
            else:
                events += self._cancel_all(command)
        return events

    def resting(self, security_id: str, side: Side) -> list[ReferenceOrder]:
        """Open orders of one half book in priority order."""
        orders = [o for o in self.orders if o.state == "open" and (o.security_id, o.side) == (security_id, side)]
        return sorted(orders, key=lambda o: (-o.price_e4 if side == BUY else o.price_e4, o.entered))

    def _place(self, command: PlaceOrder) -> list[Event]:
        new = ReferenceOrder(
            self.sequence,
            command.client_id,
            command.security_id,
            command.side,
            command.price_e4,
            command.quantity,
            self.sequence,
            state="entering",
        )
        self.orders.append(new)
        accepted = OrderAccepted(
            new.order_id,
            new.client_id,
            new.security_id,
            new.side,
            command.order_type,
            command.time_in_force,
            new.quantity,
            new.price_e4,
            command.client_order_id,
        )
        if command.time_in_force == "FOK" and self._fillable(new) < new.quantity:
            return [accepted, self._end(new, "fok_unfilled")]
        rest: CancelReason | None = None
        if command.order_type == "market":
            rest = "market_remainder"
        elif command.time_in_force == "IOC":
            rest = "ioc_remainder"
        return [accepted, *self._enter(new, rest)]

    def _fillable(self, order: ReferenceOrder) -> int:
        total = 0
        for maker in self._meets(order):
            if maker.client_id == order.client_id:
                break
            total += maker.leaves
        return total

    def _meets(self, order: ReferenceOrder) -> list[ReferenceOrder]:
        other: Side = SELL if order.side == BUY else BUY
        return [
            maker
            for maker in self.resting(order.security_id, other)
            if (maker.price_e4 <= order.price_e4 if order.side == BUY else maker.price_e4 >= order.price_e4)
        ]

    def _enter(self, order: ReferenceOrder, rest: CancelReason | None) -> list[Event]:
        events: list[Event] = []
        while order.leaves and (makers := self._meets(order)):
            if makers[0].client_id == order.client_id:
                return [*events, self._end(order, "self_trade_prevention")]
            events.append(self._trade(order, makers[0]))
        if not order.leaves:
            order.state = "filled"
        elif rest is not None:
            events.append(self._end(order, rest))
        else:
            order.state = "open"
        return events

    def _trade(self, taker: ReferenceOrder, maker: ReferenceOrder) -> Trade:
        self.trades += 1
        quantity = min(taker.leaves, maker.leaves)
        for order in (taker, maker):
            order.filled += quantity
            if not order.leaves:
                order.state = "filled"
        buy, sell = (taker, maker) if taker.side == BUY else (maker, taker)
        return Trade(
            self.trades,
            maker.security_id,
            maker.price_e4,
            quantity,
            taker.side,
            buy.order_id,
            buy.client_id,
            buy.price_e4,
            buy.leaves,
            sell.order_id,
            sell.client_id,
            sell.leaves,
        )

    def _end(self, order: ReferenceOrder, reason: CancelReason) -> OrderCanceled:
        order.state = "canceled"
        return OrderCanceled(
            order.order_id, order.client_id, order.security_id, order.side, order.price_e4, order.leaves, reason
        )

    def _find(self, order_id: int) -> ReferenceOrder | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def _refusal(self, order_id: int, client_id: str) -> str | None:
        order = self._find(order_id)
        if order is None:
            return "order.not_open" if 0 < order_id < self.sequence else "order.unknown"
        if order.state != "open":
            return f"order.already_{order.state}"
        return None if order.client_id == client_id else "order.unknown"

    def _cancel(self, command: CancelOrder) -> list[Event]:
        refusal = self._refusal(command.order_id, command.client_id)
        if refusal:
            return [CancelRejected(command.order_id, command.client_id, refusal)]
        order = self._find(command.order_id)
        assert order
        return [self._end(order, "requested")]

    def _cancel_all(self, command: CancelAllOrders) -> list[Event]:
        mine = [o for o in self.orders if o.state == "open" and o.client_id == command.client_id]
        mine = [o for o in mine if command.security_id in (None, o.security_id)]
        ended: list[Event] = [self._end(order, "requested") for order in mine]
        return [*ended, MassCancelReport(command.client_id, command.security_id, len(mine))]

    def _amend(self, command: AmendOrder) -> list[Event]:
        order = self._find(command.order_id)
        refusal = self._refusal(command.order_id, command.client_id) or self._refuse_terms(command)
        if refusal:
            known = order if order and refusal != "order.unknown" else None
            return [
                AmendRejected(
                    command.order_id,
                    command.client_id,
                    refusal,
                    known.security_id if known else None,
                    known.side if known else None,
                    command.hold_added if known else 0,
                )
            ]
        assert order
        return self._change(order, command)

    def _refuse_terms(self, command: AmendOrder) -> str | None:
        order = self._find(command.order_id)
        assert order
        if command.quantity < order.filled:
            return "order.amend_below_filled"
        if (command.quantity, command.price_e4) == (order.quantity, order.price_e4):
            return "order.amend_changes_nothing"
        return None

    def _change(self, order: ReferenceOrder, command: AmendOrder) -> list[Event]:
        before = (order.price_e4, order.leaves)
        keeps_place = command.price_e4 == order.price_e4 and command.quantity < order.quantity
        order.price_e4, order.quantity = command.price_e4, command.quantity
        needed = held_amount(order.side, order.price_e4, order.leaves)
        spare = held_amount(order.side, *before) + command.hold_added - needed
        amended = OrderAmended(
            order.order_id,
            order.client_id,
            order.security_id,
            order.side,
            order.quantity,
            order.price_e4,
            order.leaves,
            *before,
            spare,
        )
        if not order.leaves:
            order.state = "filled"
        elif not keeps_place:
            order.state, order.entered = "entering", self.sequence
            return [amended, *self._enter(order, None)]
        return [amended]
