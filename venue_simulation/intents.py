"""From what a strategy asks for to what the gateway's desk reads."""

import msgspec

from order_entry_gateway.domain.requests import (
    Action,
    AmendAction,
    CancelAction,
    CancelAllAction,
    PlaceOrderRequest,
)
from trading_bots.commands import Amend, Amount, Cancel, CancelAll, Command, Place, price_text

_NO_PRICE = msgspec.Raw(b"null")


def action_of(command: Command) -> Action | PlaceOrderRequest:
    """The request as the desk reads it.

    TypeError for a float as price, or for what is no command; ValueError for a price that is no
    number, or an order named twice or not at all.
    """
    if isinstance(command, Place):
        return _place(command)
    if isinstance(command, Cancel):
        return CancelAction(order_id=command.order_id, client_order_id=command.client_order_id)
    if isinstance(command, CancelAll):
        return CancelAllAction(security=command.security)
    if isinstance(command, Amend):
        return AmendAction(
            order_id=command.order_id,
            client_order_id=command.client_order_id,
            quantity=command.quantity,
            price=_raw(command.price),
            amend_id=command.amend_id,
        )
    raise TypeError(f"{command!r} is no intent")


def _place(command: Place) -> PlaceOrderRequest:
    if type(command.quantity) is not int:
        raise TypeError(f"quantity {command.quantity!r} is no whole number of shares")
    request = PlaceOrderRequest(
        command.security,
        command.side.upper(),  # type: ignore[arg-type]
        command.type,  # type: ignore[arg-type]
        command.quantity,
        _raw(command.price),
        command.time_in_force,  # type: ignore[arg-type]
        command.client_order_id,
    )
    if request.side not in ("BUY", "SELL"):
        raise ValueError(f"side {command.side!r} is not BUY or SELL")
    request.stop_price = _raw(command.stop_price)
    request.expire_time = command.expire_time
    request.min_quantity = command.min_quantity
    request.display_quantity = command.display_quantity
    request.post_only = command.post_only
    request.self_trade_prevention = command.self_trade_prevention  # type: ignore[assignment]
    return request


def _raw(price: Amount | None) -> msgspec.Raw:
    return _NO_PRICE if price is None else msgspec.Raw(f'"{price_text(price)}"'.encode())
