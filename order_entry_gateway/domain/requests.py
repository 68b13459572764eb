"""The requests of clients: typed, but not yet checked against the rules of a security."""

from typing import Literal

import msgspec

from venue_protocol.identifiers import ClientOrderId
from venue_protocol.orders import OrderType, SelfTradePrevention, Side, TimeInForce

MOST_COMMANDS = 1000
"""Commands in one list."""


class PlaceOrderRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/orders."""

    security: str
    side: Side
    type: OrderType
    quantity: int
    price: msgspec.Raw = msgspec.Raw(b"null")
    time_in_force: TimeInForce | None = None
    client_order_id: ClientOrderId | None = None
    stop_price: msgspec.Raw = msgspec.Raw(b"null")
    """For stop and stop_limit."""
    expire_time: str | None = None
    """For GTD: ISO 8601 in UTC, 2026-11-21T14:30:00Z."""
    min_quantity: int | None = None
    """For IOC: trade at least so many shares at once, or none."""
    display_quantity: int | None = None
    """For an iceberg: how many shares the book shows at a time."""
    post_only: bool = False
    """Canceled instead of trading on entry."""
    self_trade_prevention: SelfTradePrevention | None = None
    do_not_reduce: bool = False
    """A cash dividend leaves its price as it is."""


class PlaceAction(PlaceOrderRequest, forbid_unknown_fields=True, tag_field="action", tag="place"):
    """The same in a mixed list, or over WebSocket. `id` is echoed there."""

    id: str | int | None = None


class AmendRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PATCH /v1/orders/{id}: the new total quantity, the new price, or both."""

    quantity: int | None = None
    price: msgspec.Raw = msgspec.Raw(b"null")
    client_order_id: ClientOrderId | None = None
    """The sender's name for this amend, for safe repetition."""


class AmendAction(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="amend"):
    """Amend the order named by one of order_id and client_order_id."""

    order_id: int | None = None
    client_order_id: ClientOrderId | None = None
    quantity: int | None = None
    price: msgspec.Raw = msgspec.Raw(b"null")
    amend_id: ClientOrderId | None = None
    """The sender's name for this amend, for safe repetition."""
    id: str | int | None = None


class CancelAction(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="cancel"):
    """Cancel the order named by one of order_id and client_order_id."""

    order_id: int | None = None
    client_order_id: ClientOrderId | None = None
    id: str | int | None = None


class CancelAllAction(
    msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="cancel_all"
):
    """Cancel all own orders, or those in one security."""

    security: str | None = None
    id: str | int | None = None


class CancelAfterRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/cancel-after: the dead man's switch."""

    timeout_ms: int
    """Cancel all own orders after this time; each request starts the time again, 0 turns it off."""


class CancelAfterAction(
    CancelAfterRequest, forbid_unknown_fields=True, tag_field="action", tag="cancel_after"
):
    """The same over WebSocket."""

    id: str | int | None = None


class CancelOnDisconnectAction(
    msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="cancel_on_disconnect"
):
    """Whether all own orders are canceled when this WebSocket ends, for whatever reason."""

    enabled: bool
    id: str | int | None = None


class CancelListRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/orders/cancel: one of the two lists."""

    order_ids: list[int] | None = None
    client_order_ids: list[ClientOrderId] | None = None


class AuthenticateAction(
    msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="authenticate"
):
    """First frame of a WebSocket without an Authorization header."""

    key: str
    id: str | int | None = None


Action = PlaceAction | AmendAction | CancelAction | CancelAllAction
ActionName = Literal["place", "amend", "cancel", "cancel_all"]
