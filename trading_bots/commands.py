"""What a bot can ask for at order entry, as the JSON of `POST /v1/commands`, and of its runner."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MOST_COMMANDS = 1000
"""Commands in one list, over REST or WebSocket; the venue refuses a longer list as a whole."""

Amount = Decimal | str | int
"""A price. Floats are refused: 0.1 + 0.2 is not 0.3."""


def price_text(price: Amount) -> str:
    """The price as a plain decimal string; TypeError for a float."""
    if isinstance(price, float | bool):
        raise TypeError(
            f"price {price!r} is a {type(price).__name__}: write Decimal('100.05') or '100.05'"
        )
    return format(Decimal(price), "f")


_OPTIONAL = (
    "time_in_force",
    "client_order_id",
    "expire_time",
    "min_quantity",
    "display_quantity",
    "self_trade_prevention",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Place a limit order, or a market order where `price` is None.

    With a `stop_price` the order waits until the market reaches it. `quantity` is in shares.
    docs/orders.md of the venue explains the types, and which fields go together.
    """

    security: str
    side: str
    quantity: int
    price: Amount | None = None
    time_in_force: str | None = None
    client_order_id: str | None = None
    stop_price: Amount | None = None
    """A stop order: it waits until the last trade is at or through this price."""
    expire_time: str | None = None
    """For time_in_force GTD: UTC, such as 2026-11-21T14:30:00Z."""
    min_quantity: int | None = None
    """For time_in_force IOC: trade at least so many shares at once, or none."""
    display_quantity: int | None = None
    """For an iceberg: how many shares the book shows at a time."""
    post_only: bool = False
    """Canceled instead of trading on entry."""
    do_not_reduce: bool = False
    """A cash dividend leaves its price as it is."""
    self_trade_prevention: str | None = None
    """cancel_newest (the default of the venue), cancel_oldest, cancel_both or decrement."""

    @property
    def type(self) -> str:
        """The order type, which follows from the prices that are given."""
        if self.stop_price is not None:
            return "stop" if self.price is None else "stop_limit"
        return "market" if self.price is None else "limit"

    def to_json(self) -> dict[str, Any]:
        """The order as order entry reads it."""
        order: dict[str, Any] = {
            "security": self.security,
            "side": self.side.upper(),
            "type": self.type,
            "quantity": self.quantity,
        }
        prices = {"price": self.price, "stop_price": self.stop_price}
        order |= {name: price_text(price) for name, price in prices.items() if price is not None}
        if self.post_only:
            order["post_only"] = True
        if self.do_not_reduce:
            order["do_not_reduce"] = True
        optional = {name: getattr(self, name) for name in _OPTIONAL}
        return order | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel an own order, named by the venue's order_id or by the own client_order_id."""

    order_id: int | None = None
    client_order_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The command's fields without its action."""
        return named_order(self.order_id, self.client_order_id)


@dataclass(frozen=True, slots=True)
class Amend:
    """New total quantity (filled shares included) or price of an own order."""

    order_id: int | None = None
    client_order_id: str | None = None
    quantity: int | None = None
    price: Amount | None = None
    amend_id: str | None = None
    """The sender's name for this amend, for safe repetition."""

    def to_json(self) -> dict[str, Any]:
        """The command's fields without its action."""
        command = named_order(self.order_id, self.client_order_id)
        if self.quantity is not None:
            command["quantity"] = self.quantity
        if self.price is not None:
            command["price"] = price_text(self.price)
        if self.amend_id is not None:
            command["amend_id"] = self.amend_id
        return command


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Cancel every own open order, or those in one security."""

    security: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The command's fields without its action."""
        return {} if self.security is None else {"security": self.security}


@dataclass(frozen=True, slots=True)
class WakeUp:
    """Call the strategy's `on_timer` with `name`, `after_s` seconds from now. Sends nothing."""

    after_s: float
    name: str = ""


Command = Place | Cancel | Amend | CancelAll
Intent = Command | WakeUp

ACTIONS: dict[type[Command], str] = {
    Place: "place",
    Cancel: "cancel",
    Amend: "amend",
    CancelAll: "cancel_all",
}


def named_order(order_id: int | None, client_order_id: str | None) -> dict[str, Any]:
    """`{"order_id": …}` or `{"client_order_id": …}`; ValueError unless exactly one is given."""
    if (order_id is None) == (client_order_id is None):
        raise ValueError("name the order by order_id or by client_order_id, one of the two")
    return {"order_id": order_id} if order_id is not None else {"client_order_id": client_order_id}


def command_json(command: Command) -> dict[str, Any]:
    """The command as one element of `POST /v1/commands`."""
    return {"action": ACTIONS[type(command)], **command.to_json()}
