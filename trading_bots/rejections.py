"""A refusal of order entry, as the report that a strategy is told."""

from decimal import Decimal

from trading_bots.commands import Amend, Cancel, Command, Place
from trading_bots.records import OrderReport
from trading_bots.refusal import Refused


def rejection(command: Command, refusal: Refused, now_us: int) -> OrderReport:
    """A report of the kind rejected, amend_rejected or cancel_rejected; its reason is the code."""
    if isinstance(command, Place):
        return OrderReport(
            kind="rejected",
            status="rejected",
            client_order_id=command.client_order_id,
            security=command.security,
            side=command.side.upper(),
            quantity=command.quantity,
            price=None if command.price is None else Decimal(str(command.price)),
            reason=refusal.code,
            time_us=now_us,
        )
    named = command if isinstance(command, Cancel | Amend) else Cancel()
    return OrderReport(
        kind="amend_rejected" if isinstance(command, Amend) else "cancel_rejected",
        order_id=named.order_id,
        client_order_id=named.client_order_id,
        reason=refusal.code,
        time_us=now_us,
    )
