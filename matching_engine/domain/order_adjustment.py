"""What a corporate action makes of one open order, in the shape of FINRA Rule 5330.

At a split prices move in the favor of who set them: those of buys and of sell stops down to the
tick, those of sells and of buy stops up. So an adjusted buy never needs more cash than before.
"""

from typing import Literal, NamedTuple

import msgspec

from venue_protocol.corporate_actions import LEAST_REDUCTION_E4, Split
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
    before: AdjustedTerms,
    tick_e4: int,
    lot: int,
    held_bps: int = 0,
) -> AdjustedTerms | None:
    """The order after a forward split; None if nothing of it is left.

    Price times old/new, open shares times new/old in whole lots. An example, 3 for 2, tick $0.01,
    lot 1: BUY 25 at $100.00 becomes BUY 37 at $66.66; SELL 25 at $100.00 SELL 37 at $66.67.
    `held_bps`: the highest fee rate on it; a buy never holds more than before, fee included.
    """
    is_buy, (price_e4, leaves, terms) = side == BUY, before
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


def reduce_order(
    per_share_e4: int,
    side: Side,
    before: AdjustedTerms,
    waits_as: Literal["limit", "market", "stop"],
    tick_e4: int,
) -> AdjustedTerms | None:
    """The order on the ex-date of a cash dividend; None if its price would be nothing.

    Buy limits and sell stops are lowered by the dividend, down to the tick. Sell limits, buy stops
    and DNR orders stay, and all stay at less than a cent. An example, $0.255 on a tick of $0.01:
    BUY 10 at $50.00 becomes BUY 10 at $49.74; a sell stop of $48.00 becomes $47.74. A stop that was
    elected waits as the limit order that it is now.
    """
    price_e4, leaves, terms = before
    if per_share_e4 < LEAST_REDUCTION_E4 or (terms is not None and terms.does_not_reduce):
        return before
    if side == BUY:
        if waits_as != "limit":
            return before
        lowered_e4 = (price_e4 - per_share_e4) // tick_e4 * tick_e4
        return AdjustedTerms(lowered_e4, leaves, terms) if lowered_e4 > 0 else None
    if waits_as != "stop" or terms is None or terms.stop_price_e4 is None:
        return before
    lowered_e4 = (terms.stop_price_e4 - per_share_e4) // tick_e4 * tick_e4
    if lowered_e4 <= 0:
        return None
    limit_e4 = max((price_e4 - per_share_e4) // tick_e4, 1) * tick_e4
    terms = msgspec.structs.replace(terms, stop_price_e4=lowered_e4)
    return AdjustedTerms(limit_e4, leaves, terms)


def _scaled_price_e4(split: Split, price_e4: int, tick_e4: int, rounds_up: bool) -> int:
    value, unit = price_e4 * split.old_shares, split.new_shares * tick_e4
    ticks = -(-value // unit) if rounds_up else value // unit
    return ticks * tick_e4
