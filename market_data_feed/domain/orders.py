"""What events mean to the orders and to their owners: folding event batches into states and
reports.
"""

import msgspec

from market_data_feed.domain.batch_effect import BatchEffect, RecordedTrade
from market_data_feed.domain.execution_report import (
    ExecutionReport,
    mass_cancel_report,
    order_report,
    reject_report,
)
from market_data_feed.domain.trading_phases import SESSION_EVENTS, SessionRow, session_row
from market_data_feed.domain.working_order import WorkingOrder
from venue_protocol.events import (
    AmendRejected,
    CancelRejected,
    Event,
    EventBatch,
    MassCancelReport,
    OrderAccepted,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    OrderReleased,
    OrderTriggered,
    Trade,
)
from venue_protocol.fees import fee_e4
from venue_protocol.identifiers import shard_and_number, sharded_id
from venue_protocol.orders import BUY, EXPIRED, SELL


class BrokenStream(RuntimeError):
    """An event contradicts the recorded state.

    The stream or the record is damaged: stop, acknowledge nothing.
    """


class Fold:
    """Folds the batches of one transaction. Mutates the shared table of working orders."""

    def __init__(self, working: dict[int, WorkingOrder]) -> None:
        self._working = working
        self.accepted: list[tuple[OrderAccepted, int]] = []
        """New orders with the time they were accepted."""
        self.touched: dict[int, WorkingOrder] = {}
        """Every order that changed, new ones included, in its final state."""
        self.adjusted: set[int] = set()
        """Orders whose terms a corporate action may have changed."""
        self.session: dict[tuple[int, str, str], SessionRow] = {}
        """The newest of each kind of session event of each security."""
        self.effects: list[BatchEffect] = []

    def apply(self, batch: EventBatch, first: int) -> None:
        """Fold the events of `batch` from event sequence `first` on.

        BrokenStream if they don't fit.
        """
        skip = max(0, first - batch.first)
        events = batch.events[skip:] if skip else batch.events
        start = sharded_id(batch.shard, batch.first + skip)
        effect = BatchEffect(start, start + len(events) - 1, batch.time_us, {}, [], [])
        effect.is_part = batch.log_last < batch.log_first
        for sequence, event in enumerate(events, start):
            self._fold(event, sequence, effect)
        self.effects.append(effect)

    def _fold(self, event: Event, sequence: int, effect: BatchEffect) -> None:
        if type(event) is OrderAccepted:
            self._accept(event, sequence, effect)
        elif type(event) is Trade:
            self._trade(event, sequence, effect)
        elif type(event) is OrderCanceled:
            self._cancel(event, sequence, effect)
        elif type(event) is OrderAmended:
            self._amend(event, sequence, effect)
        elif type(event) is OrderTriggered:
            self._trigger(event, sequence, effect)
        elif type(event) is OrderReleased:
            self._release(event, sequence, effect)
        elif type(event) is OrderAdjusted:
            self._adjust(event, sequence, effect)
        elif type(event) is OrderReduced:
            self._reduce(event, sequence, effect)
        elif isinstance(event, SESSION_EVENTS):
            row = session_row(shard_and_number(sequence)[0], event, effect.time_us, sequence)
            self.session[row.key] = row
            effect.session.append(row)
        elif type(event) is MassCancelReport:
            effect.reports.append(mass_cancel_report(event, sequence, effect.time_us))
        elif isinstance(event, CancelRejected | AmendRejected):
            order = self._working.get(event.order_id)
            effect.reports.append(reject_report(event, order, sequence, effect.time_us))

    def _accept(self, event: OrderAccepted, sequence: int, effect: BatchEffect) -> None:
        order_id = event.order_id
        if order_id in self._working or order_id in self.touched:
            raise BrokenStream(f"event {sequence} accepts order {order_id} a second time")
        order = WorkingOrder(
            order_id,
            event.client_id,
            event.security_id,
            event.side,
            event.price_e4,
            event.quantity,
            0,
            event.quantity,
            0,
            sequence,
            "new",
            None,
            effect.time_us,
            event.client_order_id,
            event.order_type,
            0,
            None,
            event.terms,
        )
        self._working[order_id] = order
        self.touched[order_id] = order
        self.accepted.append((event, effect.time_us))
        effect.show(order, 0 if order.is_waiting_stop() or event.is_waiting else order.entering())
        effect.reports.append(order_report(order, "new", sequence, None, effect.time_us))

    def _trade(self, event: Trade, sequence: int, effect: BatchEffect) -> None:
        effect.trades.append(_recorded_trade(event, sequence, effect.time_us))
        buys, sells = (
            (None, None)
            if event.aggressor is None
            else (event.aggressor == BUY, event.aggressor == SELL)
        )
        fees = (event.buy_fee_bps, event.sell_fee_bps)
        self._fill(event, event.buy_order_id, event.buy_leaves, buys, fees[0], sequence, effect)
        self._fill(event, event.sell_order_id, event.sell_leaves, sells, fees[1], sequence, effect)

    def _fill(
        self,
        event: Trade,
        order_id: int,
        leaves: int,
        is_aggressor: bool | None,
        rate_bps: int,
        sequence: int,
        effect: BatchEffect,
    ) -> None:
        order = self._open_order(order_id, leaves + event.quantity, sequence)
        order.filled += event.quantity
        order.notional_e4 += event.quantity * event.price_e4
        order.leaves = leaves
        order.status = "partially_filled" if leaves else "filled"
        # What an iceberg showed is gone: it shows more, at the back of the queue. An aggressor has
        # not rested yet.
        # In an auction it gives of its reserve first.
        left = (
            order.visible - event.quantity
            if is_aggressor is not None
            else min(order.visible, leaves)
        )
        effect.show(order, order.entering() if is_aggressor or left <= 0 else left)
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(
            ExecutionReport(
                order.client_id,
                sequence,
                "trade",
                effect.time_us,
                order_id,
                previous,
                order.security_id,
                order.side,
                order.quantity,
                order.shown_price_e4(),
                order.filled,
                leaves,
                order.status,
                None,
                event.trade_id,
                event.quantity,
                event.price_e4,
                is_aggressor,
                order.client_order_id,
                fee_e4(event.price_e4 * event.quantity, rate_bps) if rate_bps else None,
            )
        )

    def _cancel(self, event: OrderCanceled, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.quantity, sequence)
        effect.show(order, 0)
        order.leaves = 0
        order.status = "expired" if event.reason == EXPIRED else "canceled"
        order.reason = event.reason
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(order_report(order, order.status, sequence, previous, effect.time_us))

    def _amend(self, event: OrderAmended, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.previous_leaves, sequence)
        keeps_place = event.price_e4 == order.price_e4 and 0 < event.leaves < order.leaves
        visible, waits = order.visible, order.is_waiting()
        effect.show(order, 0)
        order.price_e4 = event.price_e4
        order.quantity = event.quantity
        order.leaves = event.leaves
        if not waits:
            effect.show(order, min(visible, event.leaves) if keeps_place else order.entering())
        if not event.leaves:
            order.status = "filled"
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(order_report(order, "amended", sequence, previous, effect.time_us))

    def _trigger(self, event: OrderTriggered, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.leaves, sequence)
        order.triggered_us = effect.time_us
        effect.show(order, order.entering())
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(order_report(order, "triggered", sequence, previous, effect.time_us))

    def _release(self, event: OrderReleased, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.leaves, sequence)
        effect.show(order, order.entering())
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(order_report(order, "released", sequence, previous, effect.time_us))

    def _reduce(self, event: OrderReduced, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.leaves + event.reduced, sequence)
        order.quantity = event.quantity
        order.leaves = event.leaves
        effect.show(order, min(order.visible, event.leaves))
        previous = self._advance(order, sequence, effect.time_us)
        report = order_report(order, "reduced", sequence, previous, effect.time_us)
        effect.reports.append(
            msgspec.structs.replace(
                report, reason="self_trade_prevention", last_quantity=event.reduced
            )
        )

    def _adjust(self, event: OrderAdjusted, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.previous_leaves, sequence)
        waits = order.is_waiting()
        before, shown = (order.price_e4, order.leaves, order.terms), order.visible
        effect.show(order, 0)
        order.price_e4, order.terms = event.price_e4, event.terms
        order.security_id = event.new_security_id or order.security_id
        order.quantity, order.leaves = event.quantity, event.leaves
        if not waits:
            # Under a new symbol alone, an iceberg shows what it showed: it enters no queue again.
            is_same = before == (order.price_e4, order.leaves, order.terms)
            effect.show(order, shown if is_same else order.entering())
        self.adjusted.add(order.order_id)
        previous = self._advance(order, sequence, effect.time_us)
        report = order_report(order, "adjusted", sequence, previous, effect.time_us)
        effect.reports.append(msgspec.structs.replace(report, reason="corporate_action"))

    def _open_order(self, order_id: int, leaves: int, sequence: int) -> WorkingOrder:
        """The working order, if its open shares on record are those the event says."""
        order = self._working.get(order_id)
        if order is None:
            raise BrokenStream(f"event {sequence} names order {order_id}, which is not open")
        if order.leaves != leaves:
            raise BrokenStream(
                f"event {sequence}: order {order_id} has {order.leaves} shares open, not {leaves}"
            )
        return order

    def _advance(self, order: WorkingOrder, sequence: int, time_us: int) -> int:
        """The order's previous event; records this one, and ends the order when nothing is open."""
        previous = order.event_sequence
        order.event_sequence = sequence
        order.updated_us = time_us
        self.touched[order.order_id] = order
        if not order.leaves:
            del self._working[order.order_id]
        return previous


def _recorded_trade(event: Trade, sequence: int, time_us: int) -> RecordedTrade:
    return RecordedTrade(
        sequence,
        time_us,
        event.trade_id,
        event.security_id,
        event.price_e4,
        event.quantity,
        event.aggressor,
        event.buy_order_id,
        event.buy_client_id,
        event.sell_order_id,
        event.sell_client_id,
    )
