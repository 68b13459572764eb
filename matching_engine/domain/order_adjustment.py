"""What a corporate action makes of one open order, in the shape of FINRA Rule 5330.

Prices move in the favor of who set them: those of buys and of sell stops down to the tick, those of
sells and of buy stops up. So an adjusted buy never needs more cash than before.
"""

from typing import NamedTuple

import msgspec

from venue_protocol.corporate_actions import Split
from venue_protocol.holds import held_price_e4
from venue_protocol.orders import BUY, OrderTerms, Side


class AdjustedTerms(NamedTuple):
    """Price, open shares and terms of an order after the action."""

    price_e4: int
    leaves: int
    terms: OrderTerms | None


def split_order(
    split: Split,
    side: Side,
    price_e4: int,
    leaves: int,
    terms: OrderTerms | None,
    tick_e4: int,
    lot: int,
    held_bps: int = 0,
) -> AdjustedTerms | None:
    """The order after a forward split; None if nothing of it is left.

    Price times old/new, open shares times new/old in whole lots. An example, 3 for 2, tick $0.01,
    lot 1: BUY 25 at $100.00 becomes BUY 37 at $66.66; SELL 25 at $100.00 SELL 37 at $66.67.
    `held_bps`: the highest fee rate on it; a buy never holds more than before, fee included.
    """
    is_buy = side == BUY
    after_e4 = _scaled_price_e4(split, price_e4, tick_e4, rounds_up=not is_buy)
    after = split.shares(leaves)
    if is_buy and held_bps and after_e4 > 0:
        # The fee is held per share and rounded up, so more shares at less may hold a trifle more.
        held_e4 = held_price_e4(price_e4, held_bps) * leaves
        after = min(after, held_e4 // held_price_e4(after_e4, held_bps))
    after = after // lot * lot
    if after_e4 <= 0 or after <= 0:
        return None
    if terms is None:
        return AdjustedTerms(after_e4, after, None)
    stop_e4, shown = terms.stop_price_e4, terms.display_quantity
    if stop_e4 is not None:
        stop_e4 = _scaled_price_e4(split, stop_e4, tick_e4, rounds_up=is_buy)
        if stop_e4 <= 0:
            return None
    if shown is not None:
        # Up to a lot, so that it stays one part in so many of the quantity.
        shown = -(-shown * split.new_shares // (split.old_shares * lot)) * lot
    terms = msgspec.structs.replace(terms, stop_price_e4=stop_e4, display_quantity=shown)
    return AdjustedTerms(after_e4, after, terms)


def _scaled_price_e4(split: Split, price_e4: int, tick_e4: int, rounds_up: bool) -> int:
    value, unit = price_e4 * split.old_shares, split.new_shares * tick_e4
    ticks = -(-value // unit) if rounds_up else value // unit
    return ticks * tick_e4
