"""Money and prices: whole ten-thousandths of a dollar inside, decimal strings at the edge.

The only module that converts and rounds. `_e4` in a name means "times 10^4".
"""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

E4 = 10_000
MAX_E4 = 10**15
"""Largest price or amount accepted at the edge: $100,000,000,000.0000."""


class MoneyError(ValueError):
    """The text is not an amount of money the venue can represent exactly."""


def parse_e4(amount: Decimal | str) -> int:
    """Ten-thousandths of a dollar in `amount`; exact, never rounded.

    Raises MoneyError for NaN, infinities, more than four decimals, or a size above MAX_E4.
    """
    try:
        exact = Decimal(amount)
    except (InvalidOperation, ValueError) as error:
        raise MoneyError(f"{amount!r} is not a decimal number") from error
    if not exact.is_finite():
        raise MoneyError(f"{amount} is not a finite number")
    if exact.adjusted() > 15 or exact.as_tuple().exponent < -40:  # type: ignore[operator]
        raise MoneyError("the number is too large or too long")
    scaled = exact * E4
    if scaled != scaled.to_integral_value():
        raise MoneyError(f"{amount} has more than four decimals")
    result = int(scaled)
    if abs(result) > MAX_E4:
        raise MoneyError(f"{amount} is larger than {format_e4(MAX_E4)}")
    return result


_JSON_AMOUNT = re.compile(rb'("?)(-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)\1')


@lru_cache(maxsize=65_536)
def parse_json_e4(text: bytes) -> int:
    """Ten-thousandths of a dollar in a JSON number, or in a JSON string of one; exact, no float on the way.

    Raises MoneyError as `parse_e4`, and for any other JSON text.
    """
    match = _JSON_AMOUNT.fullmatch(text)
    if match is None:
        raise MoneyError("the amount must be a decimal number, or a string of one")
    return parse_e4(match.group(2).decode())


def format_e4(amount_e4: int) -> str:
    """Decimal string of dollars: always two decimals, four where the third or fourth is not zero."""
    sign = "-" if amount_e4 < 0 else ""
    dollars, rest = divmod(abs(amount_e4), E4)
    if rest % 100:
        return f"{sign}{dollars}.{rest:04d}"
    return f"{sign}{dollars}.{rest // 100:02d}"
