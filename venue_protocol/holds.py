"""What an order can need at worst, and so what is held for it.

A working order holds `price_e4 * leaves` of cash when it buys (its limit, or for a market order
the edge of the price band) and `leaves` shares when it sells. `available == balance - held`.
"""

from venue_protocol.orders import BUY, Side

CASH = "USD"
"""The asset name of cash; every other asset is a security_id."""


def held_asset(side: Side, security_id: str) -> str:
    """The asset an order of this side holds."""
    return CASH if side == BUY else security_id


def held_amount(side: Side, price_e4: int, leaves: int) -> int:
    """What an order holds while `leaves` shares are open: ten-thousandths of a dollar, or
    shares.
    """
    return price_e4 * leaves if side == BUY else leaves


def amend_hold(
    side: Side, price_e4: int, quantity: int, new_price_e4: int, new_quantity: int
) -> int:
    """What must be held in addition before an amend, for any number of shares filled meanwhile; >=
    0.

    With f shares filled, the old terms still hold `price * (quantity - f)`, the new ones need
    `new_price * (new_quantity - f)`. The difference is linear in f: its maximum is at an end.
    """
    if side != BUY:
        return max(0, new_quantity - quantity)
    most_filled = min(quantity, new_quantity)
    at_none = new_price_e4 * new_quantity - price_e4 * quantity
    at_most = new_price_e4 * (new_quantity - most_filled) - price_e4 * (quantity - most_filled)
    return max(0, at_none, at_most)
