"""What a security must be so that it can be traded once it is listed."""

from typing import NamedTuple

from venue_protocol.money import MAX_E4, format_e4
from venue_protocol.securities import Security

MOST_NAME = 200
MOST_LOT = 1_000_000
MOST_QUANTITY = 1_000_000_000
"""Shares of one order: times the highest price this still fits into the 64 bits of a hold."""
WIDEST_BAND_BPS = 10_000
"""100 %: from nothing to twice the reference price."""
MOST_SHARES = 1_000_000_000_000
"""Shares in one movement: a thousand times the largest real company's, far inside 64 bits."""

DEFAULT_BAND_BPS = 1_000
"""10 %: a trade far from the reference price gives one client's money to another, so a listing
that says nothing allows little of it.
"""


class ListingFault(NamedTuple):
    """Why a security can't be listed, and which field is at fault."""

    field: str
    message: str


def fault(security: Security, issued_shares: int) -> ListingFault | None:
    """The first fault of a listing, or None.

    An example: lot 1,000 with max_quantity 10 would be a security that nobody can order, since an
    order is whole lots and at most max_quantity; 1,050 issued with lot 100 leave 50 shares that
    nobody can ever sell.
    """
    return next((found for found in _faults(security, issued_shares) if found is not None), None)


def _faults(security: Security, issued_shares: int) -> tuple[ListingFault | None, ...]:
    tick_e4, price_e4 = security.tick_e4, security.reference_price_e4
    lot, most = security.lot, security.max_quantity
    return (
        _unless(
            security.name.isprintable() and len(security.name) <= MOST_NAME,
            "name",
            f"name has at most {MOST_NAME} characters, all of them printable",
        ),
        _unless(tick_e4 > 0, "tick", "tick is above zero"),
        _unless(price_e4 > 0, "reference_price", "reference_price is above zero"),
        _unless(
            tick_e4 <= 0 or price_e4 % tick_e4 == 0,
            "reference_price",
            "reference_price is a multiple of tick",
        ),
        _unless(
            tick_e4 <= 0 or security.band_high_e4 <= MAX_E4,
            "reference_price",
            f"the price band would reach above {format_e4(MAX_E4)}, the largest price",
        ),
        _unless(1 <= lot <= MOST_LOT, "lot", f"lot is from 1 to {MOST_LOT}"),
        _unless(
            1 <= most <= MOST_QUANTITY, "max_quantity", f"max_quantity is from 1 to {MOST_QUANTITY}"
        ),
        _unless(
            lot <= most, "max_quantity", f"max_quantity {most} is less than one lot of {lot} shares"
        ),
        _unless(
            1 <= security.band_bps <= WIDEST_BAND_BPS,
            "band_bps",
            f"band_bps is from 1 to {WIDEST_BAND_BPS}",
        ),
        _unless(
            0 <= issued_shares <= MOST_SHARES,
            "issued_shares",
            f"issued_shares is from 0 to {MOST_SHARES}",
        ),
        _unless(
            lot < 1 or issued_shares % lot == 0,
            "issued_shares",
            f"issued_shares {issued_shares} is no multiple of the lot of {lot}",
        ),
    )


def _unless(holds: bool, field: str, message: str) -> ListingFault | None:
    return None if holds else ListingFault(field, message)
