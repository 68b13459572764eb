"""What a trade costs its two sides, and where it goes.

A fee is part of its trade: it moves in the trade's own journal, or not at all. The buyer's was held
when the order was accepted (`venue_protocol/holds.py`), the seller's comes out of the proceeds.
"""

from clearinghouse.domain.ledger import Leg
from venue_protocol.events import Trade
from venue_protocol.fees import fee_e4
from venue_protocol.holds import CASH

FEES = "fees"
"""The venue's account that all fees go to and all rebates come from.

A rebate is never more than the other side of the trade pays, so it is never short.
"""
NO_FEES = (0, 0)


def trade_fees_e4(trade: Trade) -> tuple[int, int]:
    """What buyer and seller pay for a trade, ten-thousandths of a dollar; below zero: a rebate.

    Example: 10 shares at $100.00 with the buyer as taker at 5 basis points and a rebate of 2 for
    the seller: the buyer pays $0.50, the seller gets $0.20, and $0.30 stay in `fees`.
    """
    if not trade.buy_fee_bps and not trade.sell_fee_bps:
        return NO_FEES
    value_e4 = trade.price_e4 * trade.quantity
    return fee_e4(value_e4, trade.buy_fee_bps), fee_e4(value_e4, trade.sell_fee_bps)


def fee_legs(trade: Trade) -> tuple[Leg, ...]:
    """The legs of a trade's journal that fees and rebates are; none for a side that has none."""
    legs: tuple[Leg, ...] = ()
    owners = (trade.buy_client_id, trade.sell_client_id)
    for client_id, amount_e4 in zip(owners, trade_fees_e4(trade), strict=True):
        if amount_e4:
            legs += (Leg(client_id, CASH, -amount_e4), Leg(FEES, CASH, amount_e4))
    return legs
