"""What events mean to the orders and to their owners: folding event batches into states and
reports.
"""

import msgspec

from market_data_feed.domain.trading_phases import SESSION_EVENTS, SessionRow, session_row
from venue_protocol.events import (
    AmendRejected,
    CancelRejected,
    Event,
    EventBatch,
    MassCancelReport,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    OrderReleased,
    OrderTriggered,
    Trade,
)
from venue_protocol.identifiers import shard_and_number, sharded_id
from venue_protocol.orders import (
    BUY,
    EXPIRED,
    LIMIT,
    SELL,
    UNPRICED,
    OrderStatus,
    OrderTerms,
    OrderType,
    Side,
)


class BrokenStream(RuntimeError):
    """An event contradicts the recorded state.

    The stream or the record is damaged: stop, acknowledge nothing.
    """


class WorkingOrder(msgspec.Struct, gc=False):
    """An order with open shares, as the newest event left it; the one mutable record of the
    feed.
    """

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    quantity: int
    filled: int
    leaves: int
    notional_e4: int
    """Sum of price times quantity over its fills, ten-thousandths of a dollar."""
    event_sequence: int
    """Sharded sequence of its newest event."""
    status: OrderStatus = "new"
    reason: str | None = None
    updated_us: int = 0
    client_order_id: str | None = None
    order_type: OrderType = LIMIT
    visible: int = 0
    """Those of its open shares that the published book has: not an iceberg's reserve, nothing of a
    stop that waits.
    """
    triggered_us: int | None = None
    """When a stop was elected."""
    terms: OrderTerms | None = None

    def is_waiting_stop(self) -> bool:
        """Whether it is a stop that was not elected yet."""
        return (
            self.terms is not None
            and self.terms.stop_price_e4 is not None
            and self.triggered_us is None
        )

    def is_waiting(self) -> bool:
        """Whether it is open and not in the book: a stop before its election, a CLS order before
        its auction.
        """
        return self.leaves > 0 and not self.visible

    def entering(self) -> int:
        """How many of its open shares show when it enters a queue."""
        most = self.terms.display_quantity if self.terms is not None else None
        return self.leaves if most is None else min(most, self.leaves)

    def shown_price_e4(self) -> int | None:
        """Its limit; None if it has none."""
        return None if self.order_type in UNPRICED else self.price_e4


class ExecutionReport(msgspec.Struct, frozen=True, gc=False):
    """One row of order_reports: what an event meant to one owner, and how the order stood after
    it.
    """

    client_id: str
    event_sequence: int
    kind: str
    """new, triggered, released, trade, canceled, expired, reduced, amended, cancel_rejected,
    amend_rejected or mass_cancel.
    """
    time_us: int
    order_id: int | None = None
    previous_sequence: int | None = None
    """The order's report before this one."""
    security_id: str | None = None
    side: Side | None = None
    quantity: int | None = None
    price_e4: int | None = None
    filled: int | None = None
    leaves: int | None = None
    status: str | None = None
    reason: str | None = None
    trade_id: int | None = None
    last_quantity: int | None = None
    """Shares of this fill; of a mass_cancel, how many orders it ended."""
    last_price_e4: int | None = None
    is_aggressor: bool | None = None
    client_order_id: str | None = None
    """Not in the row of order_reports: the order's own row has it."""


class RecordedTrade(msgspec.Struct, frozen=True, gc=False):
    """One row of trades: a trade and its place in the stream."""

    event_sequence: int
    time_us: int
    trade_id: int
    security_id: str
    price_e4: int
    quantity: int
    aggressor: Side | None
    """None in an auction."""
    buy_order_id: int
    buy_client_id: str
    sell_order_id: int
    sell_client_id: str


LevelKey = tuple[str, Side, int]
"""Security, side, price in ten-thousandths of a dollar."""


class BatchEffect(msgspec.Struct, gc=False):
    """What one EventBatch did, for the streams: net change of each price level, trades, reports."""

    first_sequence: int
    """Sharded sequence of its first event."""
    last_sequence: int
    time_us: int
    levels: dict[LevelKey, list[int]]
    """Net change of [shares, orders] at each level touched; may be [0, 0]."""
    trades: list[RecordedTrade]
    reports: list[ExecutionReport]
    session: list[SessionRow] = []
    """Phases, indications and limit states, in order."""
    is_part: bool = False
    """Whether more messages of the same commands follow."""


def whole_effect(parts: list[BatchEffect]) -> BatchEffect:
    """What the parts of one batch of commands did together. In between its books may cross."""
    first, *others = parts
    if not others:
        return first
    levels = {key: list(change) for key, change in first.levels.items()}
    for part in others:
        for key, (shares, orders) in part.levels.items():
            change = levels.setdefault(key, [0, 0])
            change[0] += shares
            change[1] += orders
    return BatchEffect(
        first.first_sequence,
        parts[-1].last_sequence,
        first.time_us,
        levels,
        [recorded for part in parts for recorded in part.trades],
        [report for part in parts for report in part.reports],
        [row for part in parts for row in part.session],
    )


class Fold:
    """Folds the batches of one transaction. Mutates the shared table of working orders."""

    def __init__(self, working: dict[int, WorkingOrder]) -> None:
        self._working = working
        self.accepted: list[tuple[OrderAccepted, int]] = []
        """New orders with the time they were accepted."""
        self.touched: dict[int, WorkingOrder] = {}
        """Every order that changed, new ones included, in its final state."""
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
        elif type(event) is OrderReduced:
            self._reduce(event, sequence, effect)
        elif isinstance(event, SESSION_EVENTS):
            row = session_row(shard_and_number(sequence)[0], event, effect.time_us, sequence)
            self.session[row.key] = row
            effect.session.append(row)
        elif type(event) is MassCancelReport:
            effect.reports.append(_mass_cancel_report(event, sequence, effect.time_us))
        elif isinstance(event, CancelRejected | AmendRejected):
            order = self._working.get(event.order_id)
            effect.reports.append(_reject_report(event, order, sequence, effect.time_us))

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
        _show(effect, order, 0 if order.is_waiting_stop() or event.is_waiting else order.entering())
        effect.reports.append(_report(order, "new", sequence, None, effect.time_us))

    def _trade(self, event: Trade, sequence: int, effect: BatchEffect) -> None:
        effect.trades.append(_recorded_trade(event, sequence, effect.time_us))
        buys, sells = (
            (None, None)
            if event.aggressor is None
            else (event.aggressor == BUY, event.aggressor == SELL)
        )
        self._fill(event, event.buy_order_id, event.buy_leaves, buys, sequence, effect)
        self._fill(event, event.sell_order_id, event.sell_leaves, sells, sequence, effect)

    def _fill(
        self,
        event: Trade,
        order_id: int,
        leaves: int,
        is_aggressor: bool | None,
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
        _show(effect, order, order.entering() if is_aggressor or left <= 0 else left)
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
            )
        )

    def _cancel(self, event: OrderCanceled, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.quantity, sequence)
        _show(effect, order, 0)
        order.leaves = 0
        order.status = "expired" if event.reason == EXPIRED else "canceled"
        order.reason = event.reason
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(_report(order, order.status, sequence, previous, effect.time_us))

    def _amend(self, event: OrderAmended, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.previous_leaves, sequence)
        keeps_place = event.price_e4 == order.price_e4 and 0 < event.leaves < order.leaves
        visible, waits = order.visible, order.is_waiting()
        _show(effect, order, 0)
        order.price_e4 = event.price_e4
        order.quantity = event.quantity
        order.leaves = event.leaves
        if not waits:
            _show(effect, order, min(visible, event.leaves) if keeps_place else order.entering())
        if not event.leaves:
            order.status = "filled"
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(_report(order, "amended", sequence, previous, effect.time_us))

    def _trigger(self, event: OrderTriggered, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.leaves, sequence)
        order.triggered_us = effect.time_us
        _show(effect, order, order.entering())
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(_report(order, "triggered", sequence, previous, effect.time_us))

    def _release(self, event: OrderReleased, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.leaves, sequence)
        _show(effect, order, order.entering())
        previous = self._advance(order, sequence, effect.time_us)
        effect.reports.append(_report(order, "released", sequence, previous, effect.time_us))

    def _reduce(self, event: OrderReduced, sequence: int, effect: BatchEffect) -> None:
        order = self._open_order(event.order_id, event.leaves + event.reduced, sequence)
        order.quantity = event.quantity
        order.leaves = event.leaves
        _show(effect, order, min(order.visible, event.leaves))
        previous = self._advance(order, sequence, effect.time_us)
        report = _report(order, "reduced", sequence, previous, effect.time_us)
        effect.reports.append(
            msgspec.structs.replace(
                report, reason="self_trade_prevention", last_quantity=event.reduced
            )
        )

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


def _show(effect: BatchEffect, order: WorkingOrder, visible: int) -> None:
    """Let so many shares of an order stand in the published book."""
    shares, orders = visible - order.visible, (visible > 0) - (order.visible > 0)
    order.visible = visible
    key = (order.security_id, order.side, order.price_e4)
    level = effect.levels.get(key)
    if level is None:
        effect.levels[key] = [shares, orders]
        return
    level[0] += shares
    level[1] += orders


def _report(
    order: WorkingOrder, kind: str, sequence: int, previous: int | None, time_us: int
) -> ExecutionReport:
    return ExecutionReport(
        order.client_id,
        sequence,
        kind,
        time_us,
        order.order_id,
        previous,
        order.security_id,
        order.side,
        order.quantity,
        order.shown_price_e4(),
        order.filled,
        order.leaves,
        order.status,
        order.reason,
        client_order_id=order.client_order_id,
    )


def _reject_report(
    event: CancelRejected | AmendRejected, order: WorkingOrder | None, sequence: int, time_us: int
) -> ExecutionReport:
    """A cancel or amend that could not be done; the order stands as it stood, so its chain is not
    touched.
    """
    kind = "cancel_rejected" if isinstance(event, CancelRejected) else "amend_rejected"
    if order is None or order.client_id != event.client_id:
        return ExecutionReport(
            event.client_id, sequence, kind, time_us, event.order_id, reason=event.reason
        )
    return msgspec.structs.replace(
        _report(order, kind, sequence, None, time_us), reason=event.reason
    )


def _mass_cancel_report(event: MassCancelReport, sequence: int, time_us: int) -> ExecutionReport:
    return ExecutionReport(
        event.client_id,
        sequence,
        "mass_cancel",
        time_us,
        security_id=event.security_id,
        last_quantity=event.canceled,
    )
