"""Execution reports: what an event meant to one owner."""

import msgspec

from market_data_feed.domain.trade_corrections import TradeStatus
from market_data_feed.domain.working_order import WorkingOrder
from venue_protocol.events import AmendRejected, CancelRejected, MassCancelReport
from venue_protocol.orders import Side


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
    fee_e4: int | None = None
    """What this fill cost; below zero: a rebate; None if it was free."""
    trade_status: TradeStatus = "good"
    """Of a trade, how it stands now; the rest is what was matched. Not in the row either."""


def order_report(
    order: WorkingOrder, kind: str, sequence: int, previous: int | None, time_us: int
) -> ExecutionReport:
    """The report of an event that changed an order; `previous`: the order's report before it."""
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


def reject_report(
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
        order_report(order, kind, sequence, None, time_us), reason=event.reason
    )


def mass_cancel_report(event: MassCancelReport, sequence: int, time_us: int) -> ExecutionReport:
    """The report of a mass cancel: how many orders it ended."""
    return ExecutionReport(
        event.client_id,
        sequence,
        "mass_cancel",
        time_us,
        security_id=event.security_id,
        last_quantity=event.canceled,
    )
