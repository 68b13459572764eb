"""What trading costs: rates in basis points of a trade's value, and the fee of one fill.

An order carries its rates from the moment it is accepted, so a new schedule concerns later orders
only. A negative rate is a rebate. Whoever rests pays the maker's rate, whoever takes the taker's;
in an auction, where nobody is aggressor, both pay the auction's.
"""

from typing import Final

import msgspec

BPS: Final = 10_000
"""Basis points of the whole: a rate of 10,000 would take all of a trade's value."""
MOST_BPS: Final = 1_000
"""The highest rate, and the highest rebate: 10 % of a trade's value. So a seller's proceeds always
cover its fee."""


class FeeRates(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The rates of one order, basis points of a trade's value; below zero: a rebate."""

    maker_bps: int = 0
    taker_bps: int = 0
    auction_bps: int = 0

    @property
    def held_bps(self) -> int:
        """What a buy must cover: the highest rate that may apply to it, >= 0."""
        return max(self.maker_bps, self.taker_bps, self.auction_bps, 0)


def fee_e4(value_e4: int, rate_bps: int) -> int:
    """The fee on a fill of this value, ten-thousandths of a dollar; below zero: a rebate.

    Rounded up to a whole ten-thousandth, so a rebate is rounded down.
    Example: 3 basis points of $10.05 (100,500) are 30.15, so 31; a rebate of 3 is 30.
    """
    return -(-value_e4 * rate_bps // BPS)


def rates_of_trade(
    first: FeeRates | None, second: FeeRates | None, is_auction: bool
) -> tuple[int, int]:
    """The rates that apply to the maker and the taker of a trade, or to both sides in an auction.

    A rebate is never more than the other side pays. So no trade costs the venue anything, whatever
    schedules its two orders are from.
    Example: the maker was promised a rebate of 5, and the taker pays 2 since the schedule changed:
    the maker gets 2.
    """
    if is_auction:
        one = first.auction_bps if first is not None else 0
        other = second.auction_bps if second is not None else 0
    else:
        one = first.maker_bps if first is not None else 0
        other = second.taker_bps if second is not None else 0
    return max(one, -max(other, 0)), max(other, -max(one, 0))
