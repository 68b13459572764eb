"""When a second request with the same client_order_id asks for the same."""

from venue_protocol.commands import Command, PlaceOrder
from venue_protocol.orders import UNPRICED


def is_same_order(known: Command, command: PlaceOrder) -> bool:
    """Whether two commands place the same order.

    The price of an order without a limit is the gateway's own, and so are its fee rates: they are
    not compared.
    """
    if type(known) is not PlaceOrder:
        return False
    if command.order_type not in UNPRICED and known.price_e4 != command.price_e4:
        return False
    return (
        known.security_id,
        known.side,
        known.order_type,
        known.time_in_force,
        known.quantity,
        known.terms,
    ) == (
        command.security_id,
        command.side,
        command.order_type,
        command.time_in_force,
        command.quantity,
        command.terms,
    )
