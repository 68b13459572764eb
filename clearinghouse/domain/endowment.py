"""Shares that each new trader starts with, as the organiser writes them."""

from venue_protocol.holds import CASH
from venue_protocol.identifiers import is_security_id
from venue_protocol.listing import MOST_SHARES


class EndowmentFault(ValueError):
    """A part of the endowment that can't be; the message names it."""


def parse(text: str) -> dict[str, int]:
    """Shares by security of `AAPL:10,MSFT:5`; empty for an empty text.

    EndowmentFault names the part that is no security with a number of shares, or comes twice.
    """
    shares: dict[str, int] = {}
    for part in text.split(",") if text.strip() else []:
        name, separator, digits = (piece.strip() for piece in part.partition(":"))
        if not separator or not is_security_id(name) or name == CASH:
            raise EndowmentFault(f"{part!r} is not of the form AAPL:10")
        # isdigit alone takes '²', which is no number.
        if not (digits.isascii() and digits.isdigit() and 1 <= len(digits) <= 13):
            raise EndowmentFault(f"{part!r} has no whole number of shares")
        if not 1 <= int(digits) <= MOST_SHARES:
            raise EndowmentFault(f"{part!r} is not from 1 to {MOST_SHARES} shares")
        if name in shares:
            raise EndowmentFault(f"{part!r} names {name} a second time")
        shares[name] = int(digits)
    return shares
