"""The rules of the book again, slow and obvious: one list of orders, sorted at each step."""

import copy
from collections.abc import Iterable

from tests.simulation.matching_engine.reference_order import ReferenceOrder, highest_rate, rates
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    Command,
    PlaceOrder,
)
from venue_protocol.events import (
    AmendRejected,
    CancelRejected,
    Event,
    MassCancelReport,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    OrderTriggered,
    TimeAdvanced,
    Trade,
)
from venue_protocol.fees import FeeRates
from venue_protocol.holds import held_amount
from venue_protocol.orders import BUY, SELL, CancelReason, OrderTerms, Side

OPEN = ("open", "parked")


class ReferenceEngine:
    """Remembers every order for ever and searches them all each time."""

    def __init__(self) -> None:
        self.orders: list[ReferenceOrder] = []
        self.trades = 0
        self.sequence = 0
        self.turns = 0
        self.last: dict[str, int] = {}
        self.time_us = 0

    def run(self, commands: Iterable[Command], time_us: int = 0) -> list[Event]:
        """The events of these commands, in a batch of this time."""
        self.time_us = time_us
        events = self._expire()
        for command in commands:
            self.sequence += 1
            if isinstance(command, PlaceOrder):
                done = self._place(command)
            elif isinstance(command, CancelOrder):
                done = self._cancel(command)
            elif isinstance(command, AmendOrder):
                done = self._amend(command)
            elif isinstance(command, AdvanceTime):
                done = [TimeAdvanced()]
            else:
                done = self._cancel_all(command)
            events += done
            events += self._elections(done)
        return events

    def _expire(self) -> list[Event]:
        due = [
            o
            for o in self.orders
            if o.state in OPEN and (o.terms.expires_us or self.time_us + 1) <= self.time_us
        ]
        due.sort(key=lambda order: (order.terms.expires_us, order.order_id))
        return [self._end(order, "expired") for order in due]

    def _elections(self, done: list[Event]) -> list[Event]:
        """Every trade elects; then one elected stop after the other has its turn."""
        events: list[Event] = []
        while True:
            for event in done:
                if isinstance(event, Trade):
                    self.last[event.security_id] = event.price_e4
                    self._elect(event.security_id, event.price_e4)
            elected = [o for o in self.orders if o.is_elected]
            if not elected:
                return events
            stop = max(
                elected,
                key=lambda o: (
                    abs((o.terms.stop_price_e4 or 0) - self.last[o.security_id]),
                    -o.order_id,
                ),
            )
            done = self._trigger(stop)
            events += done

    def _elect(self, security_id: str, price_e4: int) -> None:
        for order in self.orders:
            stop = order.terms.stop_price_e4
            if order.state == "parked" and order.security_id == security_id and stop is not None:
                order.is_elected |= price_e4 >= stop if order.side == BUY else price_e4 <= stop

    def _trigger(self, stop: ReferenceOrder) -> list[Event]:
        stop.is_elected, stop.state = False, "entering"
        last = self.last[stop.security_id]
        triggered = OrderTriggered(
            stop.order_id,
            stop.client_id,
            stop.security_id,
            stop.side,
            stop.price_e4,
            stop.leaves,
            last,
        )
        return [
            triggered,
            *self._enter(stop, "market_remainder" if stop.order_type == "stop" else None),
        ]

    def parked(self, security_id: str) -> list[int]:
        """Ids of the stops that wait."""
        return [
            o.order_id for o in self.orders if o.state == "parked" and o.security_id == security_id
        ]

    def resting(self, security_id: str, side: Side) -> list[ReferenceOrder]:
        """Open orders of one book side in priority order."""
        orders = [
            o
            for o in self.orders
            if o.state == "open" and (o.security_id, o.side) == (security_id, side)
        ]
        return sorted(orders, key=lambda o: (-o.price_e4 if side == BUY else o.price_e4, o.entered))

    def _place(self, command: PlaceOrder) -> list[Event]:
        new = ReferenceOrder(
            self.sequence,
            command.client_id,
            command.security_id,
            command.side,
            command.price_e4,
            command.quantity,
            0,
            command.order_type,
            command.terms or OrderTerms(),
            command.fees or FeeRates(),
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
            command.terms,
            fees=command.fees,
        )
        if new.terms.expires_us is not None and new.terms.expires_us <= self.time_us:
            return [accepted, self._end(new, "expired")]
        if new.terms.stop_price_e4 is not None:
            new.state = "parked"
            if new.security_id in self.last:
                self._elect(new.security_id, self.last[new.security_id])
            return [accepted]
        if new.terms.is_post_only and self._meets(new):
            return [accepted, self._end(new, "post_only_would_trade")]
        if self._fillable(new) < (new.terms.min_quantity or 0):
            return [accepted, self._end(new, "min_quantity_unmet")]
        if command.time_in_force == "FOK" and self._fillable(new) < new.quantity:
            return [accepted, self._end(new, "fok_unfilled")]
        rest: CancelReason | None = None
        if command.order_type == "market":
            rest = "market_remainder"
        elif command.time_in_force == "IOC":
            rest = "ioc_remainder"
        return [accepted, *self._enter(new, rest)]

    def _fillable(self, order: ReferenceOrder) -> int:
        """What it would trade up to the first own order that stops or shortens it."""
        world = copy.deepcopy(self)
        twin = world._find(order.order_id)
        assert twin
        if twin.terms.self_trade_prevention != "cancel_oldest":
            twin.terms = OrderTerms()
        world._enter(twin, "ioc_remainder")
        return twin.filled

    def _meets(self, order: ReferenceOrder) -> list[ReferenceOrder]:
        other: Side = SELL if order.side == BUY else BUY
        return [
            maker
            for maker in self.resting(order.security_id, other)
            if (
                maker.price_e4 <= order.price_e4
                if order.side == BUY
                else maker.price_e4 >= order.price_e4
            )
        ]

    def _enter(self, order: ReferenceOrder, rest: CancelReason | None) -> list[Event]:
        events: list[Event] = []
        while order.leaves and (makers := self._meets(order)):
            if makers[0].client_id != order.client_id:
                events.append(self._trade(order, makers[0]))
                continue
            mode = order.terms.self_trade_prevention
            events += self._prevent(order, makers[0])
            if order.state == "canceled":
                return events
            assert mode in ("cancel_oldest", "decrement")
        if not order.leaves:
            order.state = "filled"
        elif rest is not None:
            events.append(self._end(order, rest))
        else:
            order.state = "open"
            self._to_the_back(order)
        return events

    def _to_the_back(self, order: ReferenceOrder) -> None:
        self.turns += 1
        order.entered = self.turns
        order.shown = min(order.leaves, order.terms.display_quantity or order.leaves)

    def _prevent(self, taker: ReferenceOrder, maker: ReferenceOrder) -> list[Event]:
        """Self-trade prevention: what becomes of the two."""
        mode = taker.terms.self_trade_prevention
        why: CancelReason = "self_trade_prevention"
        if mode == "cancel_newest":
            return [self._end(taker, why)]
        if mode == "cancel_oldest":
            return [self._end(maker, why)]
        if mode == "cancel_both" or maker.leaves == taker.leaves:
            return [self._end(maker, why), self._end(taker, why)]
        if maker.leaves < taker.leaves:
            return [self._end(maker, why), self._reduce(taker, maker.leaves)]
        return [self._reduce(maker, taker.leaves), self._end(taker, why)]

    def _reduce(self, order: ReferenceOrder, shares: int) -> OrderReduced:
        order.quantity -= shares
        order.shown = min(order.shown, order.leaves)
        return OrderReduced(
            order.order_id,
            order.client_id,
            order.security_id,
            order.side,
            order.price_e4,
            shares,
            order.quantity,
            order.leaves,
            highest_rate(order),
        )

    def _trade(self, taker: ReferenceOrder, maker: ReferenceOrder) -> Trade:
        self.trades += 1
        quantity = min(taker.leaves, maker.shown)
        for order in (taker, maker):
            order.filled += quantity
            if not order.leaves:
                order.state = "filled"
        maker.shown -= quantity
        if maker.leaves and not maker.shown:
            self._to_the_back(maker)
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
            *rates(buy, sell, maker),
            highest_rate(buy),
        )

    def _end(self, order: ReferenceOrder, reason: CancelReason) -> OrderCanceled:
        order.state = "expired" if reason == "expired" else "canceled"
        return OrderCanceled(
            order.order_id,
            order.client_id,
            order.security_id,
            order.side,
            order.price_e4,
            order.leaves,
            reason,
            highest_rate(order),
        )

    def _find(self, order_id: int) -> ReferenceOrder | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def _refusal(self, order_id: int, client_id: str) -> str | None:
        order = self._find(order_id)
        if order is None:
            return "order.not_open" if 0 < order_id < self.sequence else "order.unknown"
        if order.state not in OPEN:
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
        mine = [o for o in self.orders if o.state in OPEN and o.client_id == command.client_id]
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
        wished = copy.copy(order)
        wished.price_e4 = command.price_e4
        if order.terms.is_post_only and self._meets(wished):
            return "order.post_only_would_trade"
        return None

    def _change(self, order: ReferenceOrder, command: AmendOrder) -> list[Event]:
        before = (order.price_e4, order.leaves)
        keeps_place = command.price_e4 == order.price_e4 and command.quantity < order.quantity
        order.price_e4, order.quantity = command.price_e4, command.quantity
        highest = highest_rate(order)
        needed = held_amount(order.side, order.price_e4, order.leaves, highest)
        spare = held_amount(order.side, *before, highest) + command.hold_added - needed
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
        elif order.state == "parked":
            return [amended]
        elif not keeps_place:
            order.state = "entering"
            return [amended, *self._enter(order, None)]
        order.shown = min(order.shown, order.leaves)
        return [amended]
