"""A slow, obvious matcher with the engine's contract: sorts all orders at each step."""

from dataclasses import dataclass

from venue_protocol.codec import SCHEMA
from venue_protocol.commands import AmendOrder, CancelOrder, CommandBatch, PlaceOrder
from venue_protocol.events import (
    CancelRejected,
    Event,
    EventBatch,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    Trade,
)
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import BUY, GTC
from venue_trials.recorded_flow.rehearsal import Rehearsal
from venue_trials.recorded_flow.steps import CancelStep, PlaceStep, Plan, ReplayFill


@dataclass
class _Resting:
    order_id: int
    order: PlaceOrder
    leaves: int


class ObviousEngine:
    """Limit orders GTC and IOC, cancels, and amends that only make smaller."""

    def __init__(self) -> None:
        self._resting: list[_Resting] = []
        self._trades = 0
        self._events = 0

    def apply(self, batch: CommandBatch) -> EventBatch:
        """The events of the batch."""
        events: list[Event] = []
        for sequence, command in batch.numbered():
            if isinstance(command, PlaceOrder):
                events += self._place(sharded_id(0, sequence), command)
            elif isinstance(command, CancelOrder):
                events.append(self._cancel(command))
            elif isinstance(command, AmendOrder):
                events.append(self._amend(command))
        first, self._events = self._events + 1, self._events + len(events)
        return EventBatch(SCHEMA, 0, first, batch.first, batch.last, batch.time_us, events)

    def _place(self, order_id: int, order: PlaceOrder) -> list[Event]:
        taker = _Resting(order_id, order, order.quantity)
        events: list[Event] = [
            OrderAccepted(
                order_id,
                order.client_id,
                order.security_id,
                order.side,
                order.order_type,
                order.time_in_force,
                order.quantity,
                order.price_e4,
                order.client_order_id,
            )
        ]
        while taker.leaves and (maker := self._best_against(order)) is not None:
            events.append(self._trade(maker, taker))
        if taker.leaves and order.time_in_force == GTC:
            self._resting.append(taker)
        elif taker.leaves:
            events.append(self._canceled(taker))
        return events

    def _best_against(self, order: PlaceOrder) -> _Resting | None:
        sign = 1 if order.side == BUY else -1
        others = [
            resting
            for resting in self._resting
            if resting.order.side != order.side
            and sign * resting.order.price_e4 <= sign * order.price_e4
        ]
        return min(others, key=lambda r: (sign * r.order.price_e4, r.order_id), default=None)

    def _trade(self, maker: _Resting, taker: _Resting) -> Trade:
        quantity = min(maker.leaves, taker.leaves)
        maker.leaves -= quantity
        taker.leaves -= quantity
        if not maker.leaves:
            self._resting.remove(maker)
        self._trades += 1
        buy, sell = (taker, maker) if taker.order.side == BUY else (maker, taker)
        return Trade(
            self._trades,
            taker.order.security_id,
            maker.order.price_e4,
            quantity,
            taker.order.side,
            buy.order_id,
            buy.order.client_id,
            buy.order.price_e4,
            buy.leaves,
            sell.order_id,
            sell.order.client_id,
            sell.leaves,
        )

    def _cancel(self, command: CancelOrder) -> Event:
        for resting in self._resting:
            if resting.order_id == command.order_id:
                self._resting.remove(resting)
                return self._canceled(resting)
        return CancelRejected(command.order_id, command.client_id, "order.not_open")

    def _amend(self, command: AmendOrder) -> Event:
        resting = next(r for r in self._resting if r.order_id == command.order_id)
        filled = resting.order.quantity - resting.leaves
        less = resting.order.quantity - command.quantity
        assert less > 0 and command.price_e4 == resting.order.price_e4, (
            "an amend of a replay only makes smaller"
        )
        previous, resting.leaves = resting.leaves, command.quantity - filled
        resting.order = PlaceOrder(
            **{
                **{name: getattr(resting.order, name) for name in PlaceOrder.__struct_fields__},
                "quantity": command.quantity,
            }
        )
        order = resting.order
        price = order.price_e4
        return OrderAmended(
            resting.order_id,
            order.client_id,
            order.security_id,
            order.side,
            order.quantity,
            price,
            resting.leaves,
            price,
            previous,
            less,
        )

    def _canceled(self, resting: _Resting) -> OrderCanceled:
        order = resting.order
        reason = "requested" if order.time_in_force == GTC else "ioc_remainder"
        return OrderCanceled(
            resting.order_id,
            order.client_id,
            order.security_id,
            order.side,
            order.price_e4,
            resting.leaves,
            reason,
        )


def fills_of(plan: Plan) -> list[ReplayFill]:
    """Fills of the plan's steps in a fresh matcher."""
    rehearsal = Rehearsal(ObviousEngine())
    for step in plan.steps:
        if isinstance(step, PlaceStep):
            rehearsal.place(step.name, step.side, step.quantity, step.price_e4, step.time_in_force)
        elif isinstance(step, CancelStep):
            assert step.is_open == (rehearsal.leaves(step.name) > 0)
            rehearsal.cancel(step.name)
        else:
            filled = sum(fill.quantity for fill in rehearsal.fills if fill.maker == step.name)
            rehearsal.reduce(step.name, filled + rehearsal.leaves(step.name) - step.quantity)
    labels = plan.labels
    return [
        ReplayFill(f.price_e4, f.quantity, labels[f.maker], labels[f.taker])
        for f in rehearsal.fills
    ]
