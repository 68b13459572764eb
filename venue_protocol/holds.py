"""What an order can need at worst, and so what is held for it.

A working order holds `held_price_e4 * leaves` of cash when it buys: its limit (for a market order
the edge of the price band) and the highest fee on it. It holds `leaves` shares when it sells; its
fee comes out of the proceeds. `available == balance - held`.
"""

from venue_protocol.fees import fee_e4
from venue_protocol.orders import BUY, Side

CASH = "USD"
"""The asset name of cash; every other asset is a security_id."""


def held_asset(side: Side, security_id: str) -> str:
    """The asset an order of this side holds."""
    return CASH if side == BUY else security_id


def held_price_e4(price_e4: int, held_bps: int = 0) -> int:
    """What a buy holds for each share, ten-thousandths of a dollar: its price and the highest fee.

    The fee is rounded up for each share, so any split into fills is covered.
    Example: a limit of $10.05 and 3 basis points hold 100,531 for each share. Three fills of one
    share cost 3 * 31 in fees, one fill of three shares 91.
    """
    return price_e4 + fee_e4(price_e4, held_bps) if held_bps else price_e4


def held_amount(side: Side, price_e4: int, leaves: int, held_bps: int = 0) -> int:
    """What an order holds while `leaves` shares are open: ten-thousandths of a dollar, or
    shares. `held_bps`: the highest fee rate that may apply to it.
    """
    if side != BUY:
        return leaves
    return held_price_e4(price_e4, held_bps) * leaves if held_bps else price_e4 * leaves


def amend_hold(
    side: Side,
    price_e4: int,
    quantity: int,
    new_price_e4: int,
    new_quantity: int,
    held_bps: int = 0,
) -> int:
    """What must be held in addition before an amend, for any number of shares filled meanwhile; >=
    0.

    With f shares filled, the old terms still hold `price * (quantity - f)`, the new ones need
    `new_price * (new_quantity - f)`. The difference is linear in f: its maximum is at an end.
    The order keeps its fee rates, so both prices are the held ones.
    """
    if side != BUY:
        return max(0, new_quantity - quantity)
    old_e4, new_e4 = held_price_e4(price_e4, held_bps), held_price_e4(new_price_e4, held_bps)
    most_filled = min(quantity, new_quantity)
    at_none = new_e4 * new_quantity - old_e4 * quantity
    at_most = new_e4 * (new_quantity - most_filled) - old_e4 * (quantity - most_filled)
    return max(0, at_none, at_most)
